//! All tests except the browser's, in one binary, so that linking happens once.

mod access;
mod api;
mod architecture;
mod backups;
mod cli;
mod clients;
mod connections;
mod crash;
mod deleted_teams;
mod faults;
mod hostile;
mod indexes;
mod instances;
mod jobs;
mod limits;
mod mailroom;
mod metrics;
mod names;
mod pages;
mod request_log;
mod retention;
mod smtp;
mod store;
mod support;
mod usage;
