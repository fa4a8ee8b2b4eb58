//! Counters in Redis or Valkey, so that several instances share their counts.
//!
//! A call takes one round trip: a script checks all limits of the caller, and counts only if none is reached. Redis runs
//! one script at a time, so counts are exact under parallel calls.
//!
//! A connection is driven by a task of the runtime that opened it, and each worker thread has its own runtime. So each
//! worker has its own connection, and calls never wait for another thread.
//!
//! Counts survive if Redis loses its data: each instance sends the highest count it has seen this hour or read from the
//! activity table, and the script continues from the higher one. If a reply is lost, the call remains counted although it
//! was refused.

use std::cell::RefCell;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, RedisResult, Script};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::circuit_breaker::CircuitBreaker;
use super::meter::{Counts, Meter, MeterKey, Meters};

/// On an overloaded machine, a reply can take half a second although nothing is wrong.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const REPLY_TIMEOUT: Duration = Duration::from_secs(1);
const LAST_POLL: Duration = Duration::from_millis(50);
/// Calls of one thread queued for sending. Further calls wait.
const MAX_QUEUED: usize = 1024;
/// Two windows, because clocks of instances can differ.
const EXPIRE_SECONDS: u32 = 7200;

/// ARGV: calls to count, seconds until a key expires, then each key's limit and known count.
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

pub struct Redis {
    client: Client,
    script: Script,
    breaker: Arc<CircuitBreaker>,
}

impl Redis {
    pub fn new(client: Client) -> Self {
        Self { client, script: Script::new(SCRIPT), breaker: Arc::default() }
    }

    /// Counts `cost` calls, or none at a limit. 0 only reads. Returns `None` while Redis is unreachable.
    pub async fn count(&self, meters: &Meters, hour: u32, cost: u8) -> Option<Counts> {
        let mut call = self.script.arg(cost);
        call.arg(EXPIRE_SECONDS);
        for meter in std::iter::once(&meters.team).chain(&meters.token) {
            call.key(key(meter, hour)).arg(meter.limit).arg(meter.known(hour));
        }
        let reply = self.request(async |connection| call.invoke_async::<Vec<i64>>(connection).await).await?;
        // Another program may have written an arbitrary number.
        let mut used = reply.iter().skip(1).map(|used| (*used).clamp(0, i64::from(u32::MAX)) as u32);
        let team = used.next().unwrap_or(u32::MAX);
        Some(Counts { allowed: reply.first() == Some(&1), team, token: used.next() })
    }

    /// Within a second of a failure, Redis is not contacted again.
    pub async fn is_reachable(&self) -> bool {
        self.request(async |connection| redis::cmd("PING").query_async::<()>(connection).await)
            .await
            .is_some()
    }

    async fn request<T>(
        &self,
        send: impl AsyncFn(&mut MultiplexedConnection) -> RedisResult<T>,
    ) -> Option<T> {
        let generation = self.breaker.enter()?;
        match self.try_twice(generation, send).await {
            Ok(reply) => {
                if self.breaker.succeeded(generation) {
                    tracing::info!("Redis is back: API calls are counted and accepted again");
                }
                Some(reply)
            }
            Err(cause) => {
                self.failed(generation, &cause);
                None
            }
        }
    }

    /// Redis closes idle connections, so a single dropped connection is not a failure.
    async fn try_twice<T>(
        &self,
        generation: u64,
        send: impl AsyncFn(&mut MultiplexedConnection) -> RedisResult<T>,
    ) -> RedisResult<T> {
        let own = self.thread_connection();
        let (number, mut connection) = self.connection(&own, generation).await?;
        match within(REPLY_TIMEOUT, send(&mut connection)).await {
            Err(cause) if cause.is_connection_dropped() => {
                own.forget(number).await;
                let (_, mut connection) = self.connection(&own, generation).await?;
                within(REPLY_TIMEOUT, send(&mut connection)).await
            }
            reply => reply,
        }
    }

    async fn connection(
        &self,
        own: &ThreadConnection,
        generation: u64,
    ) -> RedisResult<(u64, MultiplexedConnection)> {
        let mut opened = own.0.lock().await;
        if !self.breaker.is_current(generation) {
            return Err(io::Error::other("the connection failed while this call was waiting").into());
        }
        if opened.generation != Some(generation) || opened.connection.is_none() {
            // Opened under the lock, so that waiting calls don't each open one.
            let connection = self.open().await.inspect_err(|cause| self.failed(generation, cause))?;
            *opened = Opened {
                number: opened.number + 1,
                generation: Some(generation),
                connection: Some(connection),
            };
        }
        let connection = opened.connection.clone().ok_or_else(|| io::Error::other("no connection"))?;
        Ok((opened.number, connection))
    }

    async fn open(&self) -> RedisResult<MultiplexedConnection> {
        let ours = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let ours = ours.set_pipeline_buffer_size(MAX_QUEUED);
        within(CONNECT_TIMEOUT, async {
            let mut connection = self.client.get_multiplexed_async_connection_with_config(&ours).await?;
            self.script.load_async(&mut connection).await?;
            Ok(connection)
        })
        .await
    }

    fn failed(&self, generation: u64, cause: &RedisError) {
        if self.breaker.failed(generation) {
            tracing::warn!(%cause, "Redis is unreachable: every API call gets 503 until it returns");
        }
    }

    fn thread_connection(&self) -> Rc<ThreadConnection> {
        THREAD_CONNECTION.with_borrow_mut(|current| match current {
            Some((owner, own)) if Arc::ptr_eq(owner, &self.breaker) => own.clone(),
            _ => {
                let own = Rc::new(ThreadConnection::default());
                *current = Some((self.breaker.clone(), own.clone()));
                own
            }
        })
    }
}

thread_local! {
    /// Includes the owner of the connection, because tests have several apps in one process.
    static THREAD_CONNECTION: RefCell<Option<(Arc<CircuitBreaker>, Rc<ThreadConnection>)>> = const { RefCell::new(None) };
}

#[derive(Default)]
struct ThreadConnection(Mutex<Opened>);

#[derive(Default)]
struct Opened {
    number: u64,
    generation: Option<u64>,
    connection: Option<MultiplexedConnection>,
}

impl ThreadConnection {
    async fn forget(&self, number: u64) {
        let mut opened = self.0.lock().await;
        if opened.number == number {
            opened.connection = None;
        }
    }
}

fn key(meter: &Meter, hour: u32) -> String {
    match meter.key {
        MeterKey::Team(id) => format!("gatepost:{hour}:{id}"),
        MeterKey::Token(id) => format!("gatepost:{hour}:{id}"),
    }
}

/// Polls once more after the timeout, because a busy thread may not have had time to read a reply that has arrived.
async fn within<T>(limit: Duration, reply: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let mut reply = pin!(reply);
    for limit in [limit, LAST_POLL] {
        if let Ok(reply) = timeout(limit, reply.as_mut()).await {
            return reply;
        }
    }
    Err(io::Error::from(io::ErrorKind::TimedOut).into())
}
