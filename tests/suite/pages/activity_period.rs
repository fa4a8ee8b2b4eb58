//! The period of the activity page: one control for the chart, records and export.

use std::time::Duration;

use crate::support::people::Person::Ada;
use crate::support::{TestApp, both_engines};

const RECORDS: &str = "#records .what";

both_engines! {
    async fn chart_records_and_export_use_the_same_period(app: TestApp) {
        app.switch_api("Acme", true);
        let token = app.token("Acme", "ci");
        app.api(&token).get("/api/v1/me").await.expect(200);
        let open = async |query: &str| {
            app.as_(Ada).await.get(&format!("/activity{query}")).await.expect(200).page()
        };
        let week = open("?period=7d").await;
        assert_eq!((week.text("#dates"), week.text(".activity-periods [aria-current]")), ("Last 7 days".into(), "Last 7 days".into()));
        assert_eq!((week.texts(RECORDS).len(), week.texts("#activity .chart-table tbody tr").len()), (1, 28));
        app.clock.advance(Duration::from_secs(8 * 24 * 3600));
        let week = open("?period=7d").await;
        assert!(!week.has(RECORDS) && !week.has("#activity-chart"));
        let export = week.link("Export");
        assert!(export.ends_with("?period=7d"), "{export}");
        let file = app.as_(Ada).await.get(&export).await.expect(200);
        assert_eq!(file.body.lines().count(), 1, "only the heads of the columns: {}", file.body);
        let any = open("").await;
        assert_eq!((any.texts(RECORDS).len(), any.text("#dates")), (1, "Any time".into()));
        assert_eq!(any.texts("#activity .chart-table tbody tr").len(), 30, "a chart of all days that are counted");
    }
}
