//! Captures the SQL statements of the program, by thread and by database.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Mutex;

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};

use super::database::Database;

thread_local! {
    static HERE: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

static EVERYWHERE: Mutex<Option<HashMap<String, Vec<String>>>> = Mutex::new(None);

/// Captures the statements of every connection opened from now on.
pub fn listen() {
    set_default_instrumentation(|| Some(Box::new(listener()) as Box<dyn Instrumentation>))
        .expect("a listener");
}

fn listener() -> impl FnMut(InstrumentationEvent<'_>) + Send {
    let mut database = String::new();
    move |event| match event {
        InstrumentationEvent::StartEstablishConnection { url, .. } => database = url.to_owned(),
        InstrumentationEvent::StartQuery { query, .. } => {
            let sql = query.to_string();
            HERE.with_borrow_mut(|heard| heard.push(sql.clone()));
            if let Some(heard) = EVERYWHERE.lock().expect("a lock").as_mut() {
                heard.entry(database.clone()).or_default().push(sql);
            }
        }
        _ => {}
    }
}

/// The statements of this thread since the last call.
pub fn of_this_thread() -> Vec<String> {
    HERE.take()
}

/// The statements on a database since the last call, on any thread. The first call starts the capture.
pub fn of(database: &Database) -> Vec<String> {
    let mut everywhere = EVERYWHERE.lock().expect("a lock");
    let url = database.url();
    everywhere.get_or_insert_default().remove(url.strip_prefix("sqlite:").unwrap_or(url)).unwrap_or_default()
}
