//! The send window: its text form, its boundaries, and both changes of daylight saving time.

use engagement::{InvalidSendWindow, SendWindow};
use jiff::{SignedDuration, Timestamp, civil::Weekday, tz::TimeZone};
use rstest::rstest;

#[rstest]
#[case::before_it_opens("2026-11-23T13:59:59Z", Some("2026-11-23T14:00:00Z"))]
#[case::as_it_opens("2026-11-23T14:00:00Z", None)]
#[case::as_it_is_about_to_close("2026-11-23T21:59:59Z", None)]
#[case::as_it_closes("2026-11-23T22:00:00Z", Some("2026-11-24T14:00:00Z"))]
#[case::over_the_weekend("2026-11-27T22:00:00Z", Some("2026-11-30T14:00:00Z"))]
fn window_opens_and_closes_to_the_second(#[case] as_of: &str, #[case] opens_at: Option<&str>) {
    let window = window("Mon-Fri 09:00-17:00 America/New_York");

    assert_eq!(window.opens_at(at(as_of)), opens_at.map(at));
}

/// Compares every quarter of an hour of a year with the local time of the zone.
#[rstest]
#[case("America/New_York")]
#[case("Europe/Berlin")]
#[case("Australia/Lord_Howe")] // daylight saving time of half an hour, southern hemisphere
fn window_follows_local_time_across_daylight_saving_changes(#[case] name: &str) {
    let zone = TimeZone::get(name).unwrap();
    let window = window(&format!("Mon-Fri 09:00-17:00 {name}"));
    let mut moment = at("2026-01-01T00:00:00Z");
    let mut offsets = std::collections::BTreeSet::new();
    while moment < at("2027-01-01T00:00:00Z") {
        let local = moment.to_zoned_datetime(zone.clone());
        offsets.insert(local.offset());
        let is_weekday = !matches!(local.weekday(), Weekday::Saturday | Weekday::Sunday);
        let is_open = is_weekday && (9..17).contains(&local.hour());
        match window.opens_at(moment) {
            None => assert!(is_open, "{local} should be outside of the window"),
            Some(opens_at) => {
                assert!(!is_open, "{local} should be inside the window");
                let opening = opens_at.to_zoned_datetime(zone.clone());
                assert!(
                    opens_at > moment
                        && (opening.hour(), opening.minute(), opening.second()) == (9, 0, 0),
                    "{local}: {opening}"
                );
                assert!(
                    opens_at.duration_since(moment) <= SignedDuration::from_hours(65),
                    "{local}: {opening}"
                );
            }
        }
        moment += SignedDuration::from_mins(15);
    }

    assert_eq!(offsets.len(), 2, "{name} has two offsets a year");
}

#[rstest]
// 02:30 does not exist: 03:30 daylight saving time would be 07:30 UTC.
#[case::skipped_hour("2026-03-08T06:00:00Z", Some("2026-03-08T07:00:00Z"))]
#[case::repeated_hour("2026-11-01T05:00:00Z", Some("2026-11-01T07:00:00Z"))]
fn opening_in_a_skipped_or_repeated_hour_is_a_valid_time(
    #[case] as_of: &str,
    #[case] latest: Option<&str>,
) {
    let window = window("Mon-Sun 02:30-04:00 America/New_York");
    let opens_at = window.opens_at(at(as_of)).unwrap();

    assert!(
        opens_at > at(as_of) && opens_at <= at(latest.unwrap()) + SignedDuration::from_mins(30),
        "{opens_at}"
    );
    assert_eq!(window.opens_at(opens_at), None);
}

#[test]
fn a_window_may_last_until_the_next_morning_or_the_end_of_the_day() {
    let night = window("Fri 22:00-02:00 UTC");

    assert_eq!(night.opens_at(at("2026-11-28T01:59:59Z")), None);
    assert_eq!(
        night.opens_at(at("2026-11-28T02:00:00Z")),
        Some(at("2026-12-04T22:00:00Z"))
    );

    let whole_day = window("Sat-Sun 00:00-24:00 UTC");

    assert_eq!(whole_day.opens_at(at("2026-11-29T23:59:59Z")), None);
    assert_eq!(
        whole_day.opens_at(at("2026-11-30T00:00:00Z")),
        Some(at("2026-12-05T00:00:00Z"))
    );
}

#[test]
fn next_day_starts_at_local_midnight() {
    let window = window("Mon-Fri 09:00-17:00 America/New_York");

    assert_eq!(
        window.local_date(at("2026-11-24T04:59:59Z")).to_string(),
        "2026-11-23"
    );
    assert_eq!(
        window.next_day_opening(at("2026-11-23T15:00:00Z")),
        at("2026-11-24T14:00:00Z")
    );
    assert_eq!(
        window.next_day_opening(at("2026-11-27T15:00:00Z")),
        at("2026-11-30T14:00:00Z")
    );
    assert_eq!(
        SendWindow::Always.next_day_opening(at("2026-11-23T15:00:00Z")),
        at("2026-11-24T00:00:00Z")
    );
    assert_eq!(
        SendWindow::Always.opens_at(at("2026-11-23T15:00:00Z")),
        None
    );
}

#[rstest]
#[case("always", None)]
#[case("Mon-Fri 09:00-17:00 America/New_York", None)]
#[case("mon,wed,Sat-Sun 08:30-12:00 Europe/Berlin", None)]
#[case("Sat-Mon 09:00-24:00 UTC", None)]
#[case("", Some(InvalidSendWindow::Shape))]
#[case("Mon-Fri 09:00-17:00", Some(InvalidSendWindow::Shape))]
#[case("Mo-Fr 09:00-17:00 UTC", Some(InvalidSendWindow::Days("Mo-Fr".to_owned())))]
#[case("Mon-Fri 9-17 UTC", Some(InvalidSendWindow::Hours("9-17".to_owned())))]
#[case("Mon-Fri 09:00-09:00 UTC", Some(InvalidSendWindow::Hours("09:00-09:00".to_owned())))]
#[case("Mon-Fri 09:00-25:00 UTC", Some(InvalidSendWindow::Hours("09:00-25:00".to_owned())))]
#[case(
    "Mon-Fri 09:00-17:00 Mars/Olympus",
    Some(InvalidSendWindow::Zone("Mars/Olympus".to_owned()))
)]
fn send_window_parses_from_text(#[case] text: &str, #[case] error: Option<InvalidSendWindow>) {
    assert_eq!(text.parse::<SendWindow>().err(), error);
}

#[test]
fn parse_error_quotes_the_text_and_names_the_expected_form() {
    let error = "Mon-Fri 09:00-17:00 Mars/Olympus"
        .parse::<SendWindow>()
        .unwrap_err();

    assert_eq!(
        error.to_string(),
        "invalid time zone \"Mars/Olympus\": expected an IANA name such as America/New_York"
    );
}

fn window(text: &str) -> SendWindow {
    text.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
