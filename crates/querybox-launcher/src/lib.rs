//! Drivers as processes: started in the jail, spoken to, watched, ended, and always reaped.
//!
//! - [`Launcher`]: starts them, keeps some ready ([`SpareLimits`]), and asks their files what they are.
//! - [`Driver`], [`OpenDriver`]: one process, and the calls of the plugin contract. Dropping it kills it.
//! - [`Parts`]: what a query answers, checked against the contract part by part.
//! - [`Ending`]: how a process came to its end, as a cause that people can be told.
//!
//! Must not know: databases, stored connections, who asked for a query. It never looks inside a batch.

mod calls;
mod driver;
mod info;
mod launcher;
mod order;
mod printable;
mod probe;
mod process;
mod spares;
mod spawner;
mod start;
mod starter;
mod transport;

pub use querybox_jail::{Enforced, Ids, Limits, Mechanism, Pin, Refused, Step};

pub use crate::{
    calls::{
        copy::{CopyEnd, CopyOutcome, CopyPiece, CopySender},
        error::{BrokenContract, CallError, Reason},
        events::{Notification, SessionEvents},
        execute::{ExecuteOrder, OnError},
        open::{OpenOrder, Parameter, ParameterValue, ServerFacts},
        part::{Fact, Part, Rejection, StoppedBy, Summary, TransactionState},
        parts::Parts,
        schema::{
            CatalogMessage, CatalogPart, CatalogParts, DdlOrder, DdlPart, DdlParts, ObjectName, SchemaKind,
            SchemaOrder, SchemaPart, SchemaParts,
        },
        test::{Stage, StageOutcome, TestPart, TestParts},
    },
    driver::{CancelOutcome, DetachedCancel, DetachedError, Driver, OpenDriver, OpenOutcome},
    info::{
        Capability, DriverInfo, FieldKind, FieldOption, FieldRole, FileNeed, FormField, InfoFault,
        NetworkNeed, read_dialect,
    },
    launcher::{Config, Launcher},
    order::{Deadline, DriverFile, FileGrant, StartOrder},
    probe::{Described, ProbeError},
    process::{
        ending::{Cause, Ending, EndingCounts},
        memory::{MemoryControl, MemoryKeeper},
    },
    spares::{SpareCounts, SpareLimits},
    start::StartError,
};
