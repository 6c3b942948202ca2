//! What belongs to a customer: aliases, groups, users, units, and where to send money. Knows tables only, not the account.

mod funding;
mod groups;
mod known;
mod portals;
mod units;
mod users;

pub(super) use funding::Funding;
pub(super) use groups::Groups;
pub(super) use known::Customers;
pub(super) use portals::portal;
pub(super) use units::Units;
pub(super) use users::Users;
