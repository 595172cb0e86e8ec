//! The other calls, answered with what the contract forbids.

use crate::misbehaving::{
    trial::{Call, Outcome},
    trials,
};

trials! {
    Open {
        open_empty => Outcome::Broken("Open was answered with nothing"),
        open_fails_bare => Outcome::Broken("a failure without a reason: \\u{1b}[2Jbad luck"),
        open_fails_oddly => Outcome::Broken("unknown reason BAD_LUCK"),
    }
    Cancel {
        cancel_empty => Outcome::Broken("Cancel was answered with no outcome"),
        cancel_odd => Outcome::Broken("Cancel was answered with no outcome"),
    }
    Schema {
        schema_too_many => Outcome::Broken("more objects than a part may hold"),
        schema_object_empty => Outcome::Broken("an object without content"),
        schema_after_rejection => Outcome::Broken("a part after the last one"),
        schema_endless => Outcome::Deadline,
    }
    Ddl {
        ddl_too_many => Outcome::Broken("more objects than a part may hold"),
        ddl_object_empty => Outcome::Broken("an object without content"),
        ddl_after_rejection => Outcome::Broken("a part after the last one"),
        ddl_endless => Outcome::Deadline,
    }
    Test {
        test_outcome_missing => Outcome::Broken("a stage without an outcome"),
        test_backwards => Outcome::Broken("stages out of order"),
        test_repeats => Outcome::Broken("stages out of order"),
        test_after_failure => Outcome::Broken("a stage after one that failed"),
        test_fails_oddly => Outcome::Broken("a stage with an unknown reason"),
        test_foreign_stage => Outcome::Broken("a stage that is not a driver's"),
    }
}
