//! The pages, one file or folder per area.

mod activity;
mod activity_period;
mod developer;
mod docs;
mod frame;
mod home;
mod jobs;
mod mailroom;
mod people;
mod queries;
mod search;
mod sorting;
mod wire;
