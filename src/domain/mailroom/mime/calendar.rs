//! Describes an invitation (RFC 5545) as text: its subject, time, place and people.

/// The maximum number of guests that are listed, and the maximum bytes that are read.
const MAX_GUESTS: usize = 50;
const MAX_CALENDAR: usize = 1 << 20;

/// Describes the first event. `None` if the calendar has no event.
pub fn describe(calendar: &str) -> Option<String> {
    let calendar = &calendar[..calendar.floor_char_boundary(MAX_CALENDAR)];
    let unfolded = calendar.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
    let begins = |line: &&str| line.trim().eq_ignore_ascii_case("BEGIN:VEVENT");
    let continues = |line: &&str| !line.trim().to_ascii_uppercase().starts_with("END:VEVENT");
    let event: Vec<Property> = unfolded
        .lines()
        .skip_while(|line| !begins(line))
        .skip(1)
        .take_while(continues)
        .filter_map(property)
        .collect();
    let value = |name: &str| event.iter().find(|each| each.name == name).map(Property::text);
    let time = |name: &str| event.iter().find(|each| each.name == name).map(Property::time);
    let mut lines = Vec::new();
    if value("STATUS").is_some_and(|status| status.eq_ignore_ascii_case("CANCELLED")) {
        lines.push("Cancelled".to_owned());
    }
    lines.extend(value("SUMMARY"));
    lines.extend(time("DTSTART").map(|start| match time("DTEND") {
        Some(end) => format!("When: {start} to {end}"),
        None => format!("When: {start}"),
    }));
    lines.extend(value("LOCATION").filter(|place| !place.is_empty()).map(|place| format!("Where: {place}")));
    lines.extend(
        event
            .iter()
            .find(|each| each.name == "ORGANIZER")
            .map(|each| format!("Organizer: {}", each.person())),
    );
    let guests = event.iter().filter(|each| each.name == "ATTENDEE").take(MAX_GUESTS).map(Property::person);
    let guests: Vec<_> = guests.collect();
    if !guests.is_empty() {
        lines.push(format!("Guests: {}", guests.join(", ")));
    }
    lines.extend(value("DESCRIPTION").filter(|text| !text.is_empty()).map(|text| format!("\n{text}")));
    (!event.is_empty()).then(|| lines.join("\n"))
}

struct Property<'t> {
    name: String,
    parameters: &'t str,
    value: &'t str,
}

fn property(line: &str) -> Option<Property<'_>> {
    let mut is_quoted = false;
    let colon = line.find(|c| {
        is_quoted ^= c == '"';
        c == ':' && !is_quoted
    })?;
    let (before, value) = (&line[..colon], line[colon + 1..].trim_end());
    let (name, parameters) = before.split_once(';').unwrap_or((before, ""));
    Some(Property { name: name.trim().to_ascii_uppercase(), parameters, value })
}

impl Property<'_> {
    fn parameter(&self, name: &str) -> Option<&str> {
        let named = self.parameters.split(';').filter_map(|each| each.split_once('='));
        let mut named = named.filter(|(each, _)| each.trim().eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.trim().trim_matches('"'))
    }

    fn text(&self) -> String {
        let (mut text, mut letters) = (String::new(), self.value.chars());
        while let Some(c) = letters.next() {
            text.push(match c {
                '\\' => match letters.next() {
                    Some('n' | 'N') => '\n',
                    Some(other) => other,
                    None => break,
                },
                c => c,
            });
        }
        text.trim().to_owned()
    }

    /// `20251201T100000Z` is `2025-12-01 10:00 UTC`.
    fn time(&self) -> String {
        let (date, time) = self.value.split_once('T').unwrap_or((self.value, ""));
        if date.len() != 8 || !date.is_ascii() {
            return self.value.to_owned();
        }
        let date = format!("{}-{}-{}", &date[..4], &date[4..6], &date[6..]);
        if time.len() < 4 || !time.is_ascii() {
            return date;
        }
        let zone = match (time.ends_with('Z'), self.parameter("TZID")) {
            (true, _) => " UTC".to_owned(),
            (false, Some(zone)) => format!(" {zone}"),
            (false, None) => String::new(),
        };
        format!("{date} {}:{}{zone}", &time[..2], &time[2..4])
    }

    fn person(&self) -> String {
        let is_mail = self.value.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
        let address = if is_mail { &self.value[7..] } else { self.value };
        match self.parameter("CN").filter(|name| !name.is_empty() && *name != address) {
            Some(name) => format!("{name} <{address}>"),
            None => address.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::describe;

    #[test]
    fn an_invitation_says_when_where_and_who() {
        let calendar = "BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nDTSTART:1970\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\n\
            SUMMARY:Count\\, and\r\n  more\r\nDTSTART;TZID=Europe/Berlin:20251201T100000\r\nDTEND:20251201T110000Z\r\n\
            LOCATION:Pier 1\r\nORGANIZER;CN=\"Falk: Ines\":mailto:ines@x.test\r\nATTENDEE;CN=Bo:MAILTO:bo@x.test\r\n\
            ATTENDEE:mailto:ada@x.test\r\nDESCRIPTION:One\\ntwo\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        let text = "Count, and more\nWhen: 2025-12-01 10:00 Europe/Berlin to 2025-12-01 11:00 UTC\nWhere: Pier 1\n\
            Organizer: Falk: Ines <ines@x.test>\nGuests: Bo <bo@x.test>, ada@x.test\n\nOne\ntwo";
        assert_eq!(describe(calendar).as_deref(), Some(text));
        let day = "BEGIN:VEVENT\nSTATUS:CANCELLED\nDTSTART;VALUE=DATE:20251201\nEND:VEVENT";
        assert_eq!(describe(day).as_deref(), Some("Cancelled\nWhen: 2025-12-01"));
        assert_eq!(describe("BEGIN:VCALENDAR\nEND:VCALENDAR"), None);
    }
}
