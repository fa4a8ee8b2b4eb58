//! Counters in Redis or Valkey, so that several instances count together.
//!
//! A call is one round trip: a script looks at every limit the caller is under and counts
//! only if all have room. Redis runs a script alone, so it is exact however many ask.
//!
//! A connection is driven by a task of the runtime it was opened in, and each worker thread
//! has a runtime of its own. So each has its own connection, which all its calls share: no
//! call is woken across threads, and none waits for a thread that is busy or has ended.
//!
//! What Redis forgets is not given twice: each instance sends along the highest count it has
//! seen this hour, or read from the record, and the script goes on from whichever is higher.
//! A call whose answer is lost stays counted, though it was refused: it errs to that side.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo, RedisError, RedisResult, Script};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::circuit::Circuit;
use super::limit::{Counted, Meter, Meters, OutOfReach};

/// Long for a counter nearby, and short for who waits: on a machine with far more work than cores an
/// answer can take half of it although nothing is wrong.
const CONNECT: Duration = Duration::from_secs(1);
const ANSWER: Duration = Duration::from_secs(1);
const LAST_LOOK: Duration = Duration::from_millis(50);
/// Calls of one thread that wait to be sent before others wait for them.
const WAITING: usize = 1024;
/// A window and one more, for instances whose clocks differ. In seconds.
const KEEP: u32 = 7200;

/// ARGV: how many calls to count, how long to keep it, then each key's limit and known count.
const SCRIPT: &str = "
local cost, used, allowed = tonumber(ARGV[1]), {}, 1
for i, key in ipairs(KEYS) do
  used[i] = math.max(tonumber(redis.call('GET', key) or '0') or 0, tonumber(ARGV[2 * i + 2]))
  if used[i] + cost > tonumber(ARGV[2 * i + 1]) then allowed = 0 end
end
if cost > 0 and allowed == 1 then
  for i, key in ipairs(KEYS) do
    used[i] = used[i] + cost
    redis.call('SET', key, string.format('%d', used[i]), 'EX', ARGV[2])
  end
end
return {allowed, unpack(used)}
";

/// Where Redis is. `Debug` hides it: it can hold a password.
#[derive(Clone)]
pub struct RedisUrl(Client);

impl RedisUrl {
    pub fn parse(text: &str) -> Option<Self> {
        let address = text.into_connection_info().ok()?;
        // Small messages leave at once, instead of waiting for the answer to the last.
        let client = Client::open(address.set_tcp_settings(TcpSettings::default().set_nodelay(true)));
        client.ok().map(Self)
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisUrl(…)")
    }
}

/// What the counters say: whether a call was let in, and what is used now.
pub struct Counts {
    pub allowed: bool,
    pub team: u32,
    pub own: Option<u32>,
}

pub struct Redis {
    client: Client,
    script: Script,
    circuit: Arc<Circuit>,
}

impl Redis {
    pub fn new(RedisUrl(client): RedisUrl) -> Self {
        Self { client, script: Script::new(SCRIPT), circuit: Arc::default() }
    }

    /// Counts `cost` calls, or none if that were too many; 0 only looks.
    pub async fn count(&self, meters: &Meters, hour: u32, cost: u8) -> Result<Counts, OutOfReach> {
        let mut call = self.script.arg(cost);
        call.arg(KEEP);
        for meter in std::iter::once(&meters.team).chain(&meters.own) {
            call.key(key(meter, hour)).arg(meter.limit).arg(meter.known(hour));
        }
        let answer = self.ask(async |connection| call.invoke_async::<Vec<i64>>(connection).await).await?;
        // What a counter holds may be more than a limit can be, or below nothing, if others wrote it.
        let mut used = answer.iter().skip(1).map(|used| (*used).clamp(0, i64::from(u32::MAX)) as u32);
        let team = used.next().unwrap_or(u32::MAX);
        Ok(Counts { allowed: answer.first() == Some(&1), team, own: used.next() })
    }

    /// Whether it answers now; nobody is asked within a second of a failure.
    pub async fn is_reachable(&self) -> bool {
        self.ask(async |connection| redis::cmd("PING").query_async::<()>(connection).await).await.is_ok()
    }

    async fn ask<T>(
        &self,
        question: impl AsyncFn(&mut MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, OutOfReach> {
        let era = self.circuit.enter().map_err(|_| OutOfReach)?;
        match self.ask_twice(era, question).await {
            Ok(answer) => {
                if self.circuit.succeeded(era) {
                    tracing::info!("Redis is back: API calls are counted and let in again");
                }
                Ok(answer)
            }
            Err(cause) => {
                self.failed(era, &cause);
                Err(OutOfReach)
            }
        }
    }

    /// A connection that was closed meanwhile, as Redis does with idle ones, is no failure yet.
    async fn ask_twice<T>(
        &self,
        era: u64,
        question: impl AsyncFn(&mut MultiplexedConnection) -> RedisResult<T>,
    ) -> RedisResult<T> {
        let line = self.line();
        let (number, mut connection) = self.connection(&line, era).await?;
        match within(ANSWER, question(&mut connection)).await {
            Err(cause) if cause.is_connection_dropped() => {
                line.forget(number).await;
                let (_, mut connection) = self.connection(&line, era).await?;
                within(ANSWER, question(&mut connection)).await
            }
            answer => answer,
        }
    }

    /// This thread's connection, opened if it was not in this era.
    async fn connection(&self, line: &Line, era: u64) -> RedisResult<(u64, MultiplexedConnection)> {
        let mut opened = line.0.lock().await;
        if !self.circuit.is_era(era) {
            return Err(io::Error::other("it failed while this call waited").into());
        }
        if opened.era != Some(era) || opened.connection.is_none() {
            // Before the lock is left, or all who wait for it would try in turn.
            let connection = self.open().await.inspect_err(|cause| self.failed(era, cause))?;
            *opened = Opened { number: opened.number + 1, era: Some(era), connection: Some(connection) };
        }
        let connection = opened.connection.clone().ok_or_else(|| io::Error::other("no connection"))?;
        Ok((opened.number, connection))
    }

    async fn open(&self) -> RedisResult<MultiplexedConnection> {
        let ours = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let ours = ours.set_pipeline_buffer_size(WAITING);
        within(CONNECT, async {
            let mut connection = self.client.get_multiplexed_async_connection_with_config(&ours).await?;
            self.script.load_async(&mut connection).await?;
            Ok(connection)
        })
        .await
    }

    fn failed(&self, era: u64, cause: &RedisError) {
        if self.circuit.failed(era) {
            tracing::warn!(%cause, "Redis is out of reach: every API call is answered 503 until it is back");
        }
    }

    fn line(&self) -> Rc<Line> {
        LINE.with_borrow_mut(|kept| match kept {
            Some((whose, line)) if Arc::ptr_eq(whose, &self.circuit) => line.clone(),
            _ => {
                let line = Rc::new(Line::default());
                *kept = Some((self.circuit.clone(), line.clone()));
                line
            }
        })
    }
}

thread_local! {
    /// This thread's connection, and whose: a test has several apps in one process.
    static LINE: RefCell<Option<(Arc<Circuit>, Rc<Line>)>> = const { RefCell::new(None) };
}

#[derive(Default)]
struct Line(Mutex<Opened>);

#[derive(Default)]
struct Opened {
    number: u64,
    era: Option<u64>,
    connection: Option<MultiplexedConnection>,
}

impl Line {
    /// Unless another call has opened the next one already.
    async fn forget(&self, number: u64) {
        let mut opened = self.0.lock().await;
        if opened.number == number {
            opened.connection = None;
        }
    }
}

fn key(meter: &Meter, hour: u32) -> String {
    match meter.counted {
        Counted::Team(id) => format!("gatepost:{hour}:{id}"),
        Counted::Token(id) => format!("gatepost:{hour}:{id}"),
    }
}

/// A thread that was late itself looks once more: an answer may have come meanwhile, which
/// the task that reads it had no turn to hand over.
async fn within<T>(limit: Duration, asked: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let mut asked = pin!(asked);
    for patience in [limit, LAST_LOOK] {
        if let Ok(answer) = timeout(patience, asked.as_mut()).await {
            return answer;
        }
    }
    Err(io::Error::from(io::ErrorKind::TimedOut).into())
}
