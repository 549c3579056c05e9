//! `provost simulate`: simulated CPEs against any ACS, with a report.
