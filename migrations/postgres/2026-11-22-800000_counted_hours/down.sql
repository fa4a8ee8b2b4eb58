DROP TABLE call_hours;
