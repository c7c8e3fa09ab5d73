//! The states of a job: which changes are legal, what a client may request, how they are shown.
//!
//! The tables are data. Their words are those of `CIM_ConcreteJob` in the CIM schema 2.49:
//! `JobState`, `OperationalStatus`, `HealthState` and the return values of `RequestStateChange`.

use serde::{Deserialize, Serialize};

/// Where a job is; the numbers are those of `CIM_ConcreteJob.JobState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum JobState {
    /// Waits for its time, its dependencies or a slot.
    New = 2,
    /// A run is being started or continued.
    Starting = 3,
    /// A run is under way.
    Running = 4,
    /// Held before its run, or its run is stopped.
    Suspended = 5,
    /// Its run is being ended.
    ShuttingDown = 6,
    /// Ended by itself, successfully.
    Completed = 7,
    /// Ended by Terminate or by its `UntilTime`.
    Terminated = 8,
    /// Ended by Kill.
    Killed = 9,
    /// Ended abnormally.
    Exception = 10,
}

use JobState::{
    Completed, Exception, Killed, New, Running, ShuttingDown, Starting, Suspended, Terminated,
};

/// Every legal change of state; what is not here does not happen.
pub const LEGAL: &[(JobState, JobState)] = &[
    (New, Starting),           // its turn has come
    (New, Suspended),          // Suspend
    (New, Terminated),         // Terminate, or expired
    (New, Killed),             // Kill
    (New, Completed),          // a recurring job has had its runs
    (New, Exception),          // a dependency can no longer hold
    (Starting, New),           // the start was undone before anything ran
    (Starting, Running),       // the program runs
    (Starting, Suspended),     // Suspend, as soon as the run had begun
    (Starting, ShuttingDown),  // Terminate or Kill
    (Starting, Exception),     // could not be started
    (Starting, Completed),     // ended before it was seen running
    (Running, New),            // between the runs of a recurring job
    (Running, Suspended),      // Suspend
    (Running, ShuttingDown),   // Terminate, Kill or a time limit
    (Running, Completed),      // exit status 0
    (Running, Exception),      // anything else
    (Suspended, New),          // Start of a job that was held
    (Suspended, Starting),     // Start of a stopped run
    (Suspended, Running),      // the run could not be stopped after all
    (Suspended, ShuttingDown), // Terminate or Kill of a stopped run
    (Suspended, Completed),    // the run ended before it could be stopped
    (Suspended, Terminated),   // Terminate of a held job, or expired
    (Suspended, Killed),       // Kill of a held job
    (Suspended, Exception),    // the run ended abnormally, or a dependency can no longer hold
    (ShuttingDown, New),       // the run made room for the next one, or is tried again
    (ShuttingDown, Suspended), // a recovery job that was ended is held again
    (ShuttingDown, Terminated),
    (ShuttingDown, Killed),
    (ShuttingDown, Exception), // ended for exceeding a limit, or lost
];

impl JobState {
    /// All states, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        New,
        Starting,
        Running,
        Suspended,
        ShuttingDown,
        Completed,
        Terminated,
        Killed,
        Exception,
    ];

    /// The state with this number, `None` for a number that jobs of this engine never have.
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.number() == number)
    }

    /// The number of `CIM_ConcreteJob.JobState`.
    pub fn number(self) -> u16 {
        self as u16
    }

    /// Whether the job has ended for good.
    pub fn is_final(self) -> bool {
        matches!(self, Completed | Terminated | Killed | Exception)
    }

    /// Whether the list of legal changes has this one.
    pub fn may_become(self, next: Self) -> bool {
        LEGAL.contains(&(self, next))
    }

    /// `OperationalStatus`, primary status first.
    pub fn operational_status(self) -> &'static [u16] {
        match self {
            New => &[15],
            Starting => &[8],
            Running | Suspended => &[2],
            ShuttingDown => &[9],
            Completed => &[2, 17],
            Terminated => &[10],
            Killed => &[14],
            Exception => &[6, 17],
        }
    }

    /// `HealthState`: 5 OK, 20 major failure.
    pub fn health_state(self) -> u16 {
        match self {
            New | Starting | Running | Suspended | ShuttingDown | Completed | Terminated => 5,
            Killed | Exception => 20,
        }
    }

    /// The word shown for the state where nothing better is known.
    pub fn label(self) -> &'static str {
        match self {
            New => "Queued",
            Starting => "Starting",
            Running => "Running",
            Suspended => "Suspended",
            ShuttingDown => "Stopping",
            Completed => "Completed",
            Terminated => "Terminated",
            Killed => "Killed",
            Exception => "Exception",
        }
    }
}

/// What `RequestStateChange` may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// 2: start, or continue what was suspended.
    Start,
    /// 3: stop, to be continued.
    Suspend,
    /// 4: end in order.
    Terminate,
    /// 5: end at once.
    Kill,
}

/// Return codes of `RequestStateChange` and `KillJob`.
pub mod code {
    /// Done.
    pub const DONE: u32 = 0;
    /// The state asked for is not supported.
    pub const NOT_SUPPORTED: u32 = 1;
    /// Not done within the time.
    pub const TIMEOUT: u32 = 3;
    /// Failed.
    pub const FAILED: u32 = 4;
    /// A parameter is wrong.
    pub const INVALID_PARAMETER: u32 = 5;
    /// Accepted; the transition has begun.
    pub const STARTED: u32 = 4096;
    /// The state does not allow it.
    pub const INVALID_TRANSITION: u32 = 4097;
    /// No time-out can be promised for this transition.
    pub const TIMEOUT_NOT_SUPPORTED: u32 = 4098;
    /// Another transition is under way.
    pub const BUSY: u32 = 4099;
}

/// What the table of `RequestStateChange` says for one state and one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Carry out the control.
    Do(Control),
    /// Change nothing, answer with this code.
    Answer(u32),
}

/// The table of `RequestStateChange`: state and requested number to what happens.
pub fn verdict(state: JobState, requested: u16) -> Verdict {
    use Verdict::{Answer, Do};
    const NO: Verdict = Answer(code::INVALID_TRANSITION);
    let row: [Verdict; 5] = match state {
        New => [
            Do(Control::Start),
            Do(Control::Suspend),
            Do(Control::Terminate),
            Do(Control::Kill),
            NO,
        ],
        Starting => [
            NO,
            Do(Control::Suspend),
            Do(Control::Terminate),
            Do(Control::Kill),
            NO,
        ],
        Running => [
            NO,
            Do(Control::Suspend),
            Do(Control::Terminate),
            Do(Control::Kill),
            Answer(code::NOT_SUPPORTED),
        ],
        Suspended => [
            Do(Control::Start),
            NO,
            Do(Control::Terminate),
            Do(Control::Kill),
            Answer(code::NOT_SUPPORTED),
        ],
        ShuttingDown => [NO, NO, Answer(code::BUSY), Do(Control::Kill), NO],
        Completed | Terminated | Killed | Exception => [NO; 5],
    };
    match requested {
        0 | 1 => Answer(code::INVALID_PARAMETER),
        2..=6 => row[usize::from(requested) - 2],
        7.. => Answer(code::NOT_SUPPORTED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_states_have_no_way_out_and_all_others_have_one() {
        for state in JobState::ALL {
            let ways = JobState::ALL
                .iter()
                .filter(|next| state.may_become(**next))
                .count();
            assert_eq!(ways == 0, state.is_final(), "{state:?}");
            assert_eq!(JobState::from_number(state.number()), Some(state));
        }
        assert_eq!(JobState::from_number(11), None);
    }

    /// One row for each state, one letter for each request 2 to 6: `!` do it, `-` invalid
    /// transition, `b` busy, `n` not supported.
    #[test]
    fn the_table_of_request_state_change() {
        let table = [
            (New, "!!!!-"),
            (Starting, "-!!!-"),
            (Running, "-!!!n"),
            (Suspended, "!-!!n"),
            (ShuttingDown, "--b!-"),
            (Completed, "-----"),
            (Terminated, "-----"),
            (Killed, "-----"),
            (Exception, "-----"),
        ];
        for (state, row) in table {
            let letter = |requested| match verdict(state, requested) {
                Verdict::Do(_) => '!',
                Verdict::Answer(code::INVALID_TRANSITION) => '-',
                Verdict::Answer(code::BUSY) => 'b',
                Verdict::Answer(code::NOT_SUPPORTED) => 'n',
                Verdict::Answer(other) => panic!("{other}"),
            };
            assert_eq!((2..=6).map(letter).collect::<String>(), row, "{state:?}");
            assert_eq!(verdict(state, 7), Verdict::Answer(code::NOT_SUPPORTED));
            assert_eq!(verdict(state, 65_535), Verdict::Answer(code::NOT_SUPPORTED));
            assert_eq!(verdict(state, 0), Verdict::Answer(code::INVALID_PARAMETER));
        }
    }
}
