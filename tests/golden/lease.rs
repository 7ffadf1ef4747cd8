//! Leases of running writers: bytes that stay.

use provenance::format::lease::Lease;

use crate::support::{fixture, sample};

#[test]
fn a_lease_keeps_its_bytes() {
    let name = "format/v1/lease/lease.json";
    fixture::check(name, &sample::lease().encode().unwrap());
    assert_eq!(Lease::decode(&fixture::read(name)).unwrap(), sample::lease());
}
