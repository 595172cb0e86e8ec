//! Sessions on a real PostgreSQL.

mod aftermath;
mod cancels;
mod crowd;
mod drain;
mod kept;
mod leases;
mod site;
