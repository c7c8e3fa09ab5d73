//! The arguments of the program: one struct for each command, one line for each in a list.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::output::indication::Form;

/// A WBEM server whose work is jobs.
#[derive(Debug, Parser)]
#[command(name = "jobwright", version, arg_required_else_help = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands of the program.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server.
    Serve(Serve),
    /// Start a server of its own, run a sample job on it and show what happens.
    Demo,
    /// Submit, watch and control jobs.
    #[command(subcommand)]
    Job(Box<Job>),
    /// Take the indications that servers send and print them.
    Listen(Listen),
    /// Subscribe to events of a server and print them until interrupted; then the subscription goes.
    Subscribe(Box<Subscribe>),
    /// The accounts of the local server.
    #[command(subcommand)]
    User(User),
    /// Work with MOF files.
    #[command(subcommand)]
    Mof(Mof),
}

/// The commands on MOF.
#[derive(Debug, Subcommand)]
pub enum Mof {
    /// Say what is wrong with MOF files; exit status 1 when there is an error.
    Check(MofCheck),
    /// Print classes, or a whole namespace, as MOF that compiles to the same.
    Print(MofPrint),
    /// Compile MOF files into a running server: everything in them or nothing.
    Compile(MofCompile),
}

/// Arguments of `mof print`. Without `--schema` and `--embedded` the server is asked.
#[derive(Debug, Args)]
pub struct MofPrint {
    /// The classes to print [default: every qualifier declaration and every class].
    #[arg(value_name = "CLASS")]
    pub classes: Vec<String>,
    /// The namespace [default: root/cimv2; of files all that they name].
    #[arg(long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// Print what this file, folder or zip archive declares, with its instances. Repeatable.
    #[arg(long, value_name = "PATH")]
    pub schema: Vec<PathBuf>,
    /// Print what the program itself brings along.
    #[arg(long, conflicts_with = "schema")]
    pub embedded: bool,
    #[command(flatten)]
    pub target: Target,
}

/// Arguments of `mof compile`.
#[derive(Debug, Args)]
pub struct MofCompile {
    /// Files, folders, or zip archives as DMTF publishes them.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The namespace for what stands before the first namespace pragma [default: root/cimv2].
    #[arg(long, short = 'n', value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    #[command(flatten)]
    pub target: Target,
}

/// Arguments of `mof check`.
#[derive(Debug, Args)]
pub struct MofCheck {
    /// Files, folders, or zip archives as DMTF publishes them.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Judge the files by themselves, without the embedded classes and qualifiers.
    #[arg(long)]
    pub alone: bool,
    /// For people, or one JSON object for each diagnostic on a line of its own.
    #[arg(long, value_parser = ["text", "json"], default_value = "text")]
    pub format: String,
}

/// Arguments of `serve`. What is not given comes from the environment or the configuration file.
#[derive(Debug, Default, Args)]
pub struct Serve {
    /// Configuration file [default: /etc/jobwright/jobwright.toml, if it is there].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Port to listen on; 0 picks a free one [default: 5988].
    #[arg(long)]
    pub port: Option<u16>,
    /// Where state is kept [default: $XDG_STATE_HOME/jobwright, or /var/lib/jobwright for root].
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// MOF to add to the schema: a file, a folder, or a zip archive as DMTF publishes it. Repeatable.
    #[arg(long, value_name = "PATH")]
    pub schema: Vec<PathBuf>,
    /// Ask nobody for a password: everybody may read, nobody may change or run anything.
    #[arg(long)]
    pub no_auth: bool,
}

/// Which server a client command talks to.
#[derive(Debug, Clone, Default, Args)]
pub struct Target {
    /// The server [default: what the local server wrote into its state directory].
    #[arg(long, env = "JOBWRIGHT_URL", value_name = "URL")]
    pub url: Option<String>,
    /// File with the certificates to trust in, in PEM [default: those of the machine, and the local
    /// server's own].
    #[arg(long, env = "JOBWRIGHT_CA_FILE", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// The user [default: admin].
    #[arg(long, env = "JOBWRIGHT_USER")]
    pub user: Option<String>,
    /// File that holds the password [default: admin-password in the state directory].
    #[arg(long, env = "JOBWRIGHT_PASSWORD_FILE", value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// State directory of the local server.
    #[arg(long, env = "JOBWRIGHT_STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
}

/// Arguments of `subscribe`.
#[derive(Debug, Args)]
pub struct Subscribe {
    /// What to be told of.
    #[arg(
        default_value = "SELECT * FROM CIM_InstIndication WHERE SourceInstance ISA CIM_ConcreteJob"
    )]
    pub query: String,
    /// The language of the query.
    #[arg(long, default_value = "DMTF:CQL")]
    pub language: String,
    /// The namespace in which it happens.
    #[arg(long, default_value = "root/cimv2")]
    pub namespace: String,
    /// The namespace in which the server keeps subscriptions.
    #[arg(long, default_value = "interop")]
    pub interop: String,
    /// Address to listen on; port 0 picks a free one.
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:0")]
    pub address: SocketAddr,
    /// Where the server finds this listener [default: the address].
    #[arg(long, value_name = "URL")]
    pub callback: Option<String>,
    /// How indications are printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Form,
    /// End after so many indications.
    #[arg(long, short = 'n', value_name = "NUMBER")]
    pub count: Option<u64>,
    /// Seconds after which the server ends the subscription by itself.
    #[arg(long, value_name = "SECONDS")]
    pub duration: Option<u64>,
    #[command(flatten)]
    pub target: Target,
}

/// Arguments of `listen`.
#[derive(Debug, Args)]
pub struct Listen {
    /// Address to listen on; port 0 picks a free one.
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:5990")]
    pub address: SocketAddr,
    /// Listen for HTTPS.
    #[arg(long)]
    pub https: bool,
    /// The listener's certificate in PEM [default: tls.crt in the state directory, made when it is not
    /// there].
    #[arg(long, value_name = "FILE", requires_all = ["https", "key"])]
    pub certificate: Option<PathBuf>,
    /// The certificate's private key in PEM [default: tls.key in the state directory].
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub key: Option<PathBuf>,
    /// How indications are printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Form,
    /// End after so many indications.
    #[arg(long, short = 'n', value_name = "NUMBER")]
    pub count: Option<u64>,
    #[command(flatten)]
    pub state: State,
}

/// The commands on accounts. They change the account file of a state directory; a server that runs
/// picks the changes up.
#[derive(Debug, Subcommand)]
pub enum User {
    /// Add an account.
    Add(AddUser),
    /// Give an account another password.
    Passwd(UserPassword),
    /// Remove an account.
    Remove(RemoveUser),
    /// List the accounts with their roles.
    List(State),
}

/// Where the account file is.
#[derive(Debug, Args)]
pub struct State {
    /// State directory of the local server.
    #[arg(long, env = "JOBWRIGHT_STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
}

/// Arguments of `user add`.
#[derive(Debug, Args)]
pub struct AddUser {
    /// What the account may do: admin, submitter (its own jobs) or reader.
    #[arg(long, default_value = "submitter")]
    pub role: String,
    #[command(flatten)]
    pub user: UserPassword,
}

/// Arguments of `user passwd`.
#[derive(Debug, Args)]
pub struct UserPassword {
    /// The account's name.
    pub name: String,
    /// File that holds the password [default: the first line of standard input].
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    #[command(flatten)]
    pub state: State,
}

/// Arguments of `user remove`.
#[derive(Debug, Args)]
pub struct RemoveUser {
    /// The account's name.
    pub name: String,
    #[command(flatten)]
    pub state: State,
}

/// The commands on jobs.
#[derive(Debug, Subcommand)]
pub enum Job {
    /// Submit a command or a script as a job.
    Submit(Submit),
    /// Make a job of each line of a crontab; refuse what calendars cannot say.
    ///
    /// Nothing is imported unless every line can be, or with --skip. The times are those of cron,
    /// but that a time which the clock skips runs once right after it, one that comes twice runs
    /// once, and a run waits for the one before it to end. Output is kept and not mailed.
    ImportCrontab(ImportCrontab),
    /// List the jobs.
    List(List),
    /// Show one job with every property that has a value.
    Show(One),
    /// Print the next times at which a job begins by itself.
    Schedule(Schedule),
    /// Follow a job to its end; the exit status is the job's.
    Watch(Watch),
    /// Print what a job wrote.
    Logs(Logs),
    /// Start a job now that is held or scheduled.
    Start(One),
    /// Stop a job so that it can be resumed.
    Suspend(One),
    /// Continue a suspended job.
    Resume(One),
    /// End a job in order: SIGTERM, and SIGKILL after its grace time.
    Terminate(One),
    /// End a job at once.
    Kill(One),
    /// Delete a job that has ended.
    Delete(One),
    /// Change writable properties of a job.
    Set(Set),
}

/// One job.
#[derive(Debug, Args)]
pub struct One {
    /// The job's InstanceID.
    pub id: String,
    #[command(flatten)]
    pub target: Target,
}

/// Arguments of `job submit`.
#[derive(Debug, Default, Args)]
pub struct Submit {
    /// Name shown to people [default: the command].
    #[arg(long, short)]
    pub name: Option<String>,
    /// Lower is more urgent.
    #[arg(long, short)]
    pub priority: Option<u32>,
    /// When to start: a CIM datetime, or an interval from now such as 90s, 5m, 2h, 1d.
    #[arg(long, value_name = "WHEN")]
    pub at: Option<String>,
    /// Hold the job until it is started.
    #[arg(long)]
    pub hold: bool,
    /// Directory to start in.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<String>,
    /// Environment entry NAME=value. Repeatable.
    #[arg(long = "env", short, value_name = "NAME=VALUE")]
    pub environment: Vec<String>,
    /// File whose text is the script to run; - reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    pub script: Option<PathBuf>,
    /// Any other property of JW_Job as Name=value. Repeatable.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub properties: Vec<String>,
    /// Follow the job to its end.
    #[arg(long, short)]
    pub watch: bool,
    /// Print the job's InstanceID alone.
    #[arg(long, short)]
    pub quiet: bool,
    /// The command and its arguments, after --.
    #[arg(last = true)]
    pub command: Vec<String>,
    #[command(flatten)]
    pub target: Target,
}

/// Arguments of `job import-crontab`.
#[derive(Debug, Args)]
pub struct ImportCrontab {
    /// The crontab; - reads standard input.
    pub file: PathBuf,
    /// The lines name a user before the command, as in /etc/crontab.
    #[arg(long)]
    pub system: bool,
    /// Import the other lines when some cannot be imported.
    #[arg(long)]
    pub skip: bool,
    /// Print what would be made, and make nothing.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub target: Target,
}

/// Arguments of `job list`.
#[derive(Debug, Args)]
pub struct List {
    /// Only jobs that have not ended.
    #[arg(long, short)]
    pub active: bool,
    #[command(flatten)]
    pub target: Target,
}

/// Arguments of `job schedule`.
#[derive(Debug, Args)]
pub struct Schedule {
    /// The job's InstanceID.
    pub id: String,
    /// How many times to print, at most 1000.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 10)]
    pub count: u32,
    #[command(flatten)]
    pub target: Target,
}

/// Arguments of `job watch`.
#[derive(Debug, Args)]
pub struct Watch {
    /// The job's InstanceID.
    pub id: String,
    /// Stop watching when the job is in this state or has ended.
    #[arg(long, value_name = "STATE", value_parser = ["running", "suspended", "ended"], default_value = "ended")]
    pub until: String,
    /// Print nothing.
    #[arg(long, short)]
    pub quiet: bool,
    #[command(flatten)]
    pub target: Target,
}

/// Arguments of `job logs`.
#[derive(Debug, Args)]
pub struct Logs {
    /// The job's InstanceID.
    pub id: String,
    /// Standard error instead of standard output.
    #[arg(long)]
    pub stderr: bool,
    /// Go on until the job has ended.
    #[arg(long, short)]
    pub follow: bool,
    #[command(flatten)]
    pub target: Target,
}

/// Arguments of `job set`.
#[derive(Debug, Args)]
pub struct Set {
    /// The job's InstanceID.
    pub id: String,
    /// Name=value; an empty value clears the property.
    #[arg(required = true, value_name = "NAME=VALUE")]
    pub properties: Vec<String>,
    #[command(flatten)]
    pub target: Target,
}
