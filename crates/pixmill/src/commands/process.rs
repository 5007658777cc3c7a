//! `pixmill process`: the engine on files and folders, without a server.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fmt::Display;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use pixmill_blob::AssetFolder;
use pixmill_engine::{Control, EngineError};
use pixmill_types::{Causes, DisplayName, FileFormat, ImageFormat, LimitName, Limits, OutputSpec, Recipe};
use pixmill_worker::FolderAssets;

use super::recipe;
use crate::cli::ProcessArgs;
use crate::config::Config;

/// One file to mill, and the folder its results go to.
#[derive(Debug)]
struct Job {
    input: PathBuf,
    folder: PathBuf,
}

/// What is done to every file.
struct Work {
    recipe: Recipe,
    limits: Limits,
    assets: AssetFolder,
}

pub(super) fn run(arguments: &ProcessArgs) -> anyhow::Result<ExitCode> {
    let (config, _) = Config::resolve(&arguments.settings.0)?;
    let recipe = recipe::chosen(arguments.steps.as_ref(), arguments.recipe.as_deref())?;
    let assets = AssetFolder::new(config.worker.assets);
    recipe::check_assets(&recipe, &assets)?;
    let jobs = collect(&arguments.inputs, &arguments.output)?;
    if jobs.is_empty() {
        bail!(
            "no images found: files named by themselves are always tried, folders are searched for {}",
            extensions()
        );
    }
    let threads = match arguments.jobs {
        Some(jobs) => jobs as usize,
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let work = Work {
        recipe,
        limits: config.limits.clone(),
        assets,
    };
    let failed = mill_all(&jobs, &work, threads.min(jobs.len()));
    let done = jobs.len() - failed;
    eprintln!(
        "{done} of {} milled{}",
        jobs.len(),
        if failed == 0 {
            String::new()
        } else {
            format!(", {failed} failed")
        }
    );
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Mills every job; returns how many failed, each of which got its line.
fn mill_all(jobs: &[Job], work: &Work, threads: usize) -> usize {
    let bar = ProgressBar::new(jobs.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len}  {per_sec}  {eta} left") {
        bar.set_style(style);
    }
    let next = AtomicUsize::new(0);
    let failed = AtomicUsize::new(0);
    let names = Names::of(jobs);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let say = |what: &dyn Display| bar.suspend(|| eprintln!("{}: {what}", job.input.display()));
                    match mill_one(job, work, &names) {
                        Ok(warnings) => warnings.iter().for_each(|warning| say(warning)),
                        Err(error) => {
                            failed.fetch_add(1, Ordering::Relaxed);
                            say(&Causes(&*error));
                        }
                    }
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    failed.into_inner()
}

/// Which files there are that no result may overwrite.
struct Names {
    /// Every input, by where it really lies.
    inputs: HashMap<PathBuf, PathBuf>,
    /// Results with the inputs that claimed them, so that `a.png` and `a.jpg` never overwrite each other silently.
    results: Mutex<HashMap<PathBuf, PathBuf>>,
}

/// Mills one file; returns what a person should know although it worked.
fn mill_one(job: &Job, work: &Work, names: &Names) -> anyhow::Result<Vec<String>> {
    let Work { recipe, limits, assets } = work;
    let input = read_within(&job.input, limits)?;
    let header = pixmill_engine::probe::probe(&input)?;
    header.check(limits)?;
    let deadline = Deadline::of(limits);
    let milled = pixmill_engine::mill_with(&FolderAssets(assets), &input, recipe, limits, &deadline)
        .map_err(|error| deadline.explain(error))?;
    fs::create_dir_all(&job.folder).with_context(|| format!("cannot make {}", job.folder.display()))?;
    for (output, spec) in milled.outputs.iter().zip(recipe.outputs()) {
        let path = job.folder.join(name_of(&job.input, spec, output.format));
        names.claim(&path, &job.input)?;
        write_whole(&path, &output.bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(milled.warnings)
}

/// What a result is called: as a server would call it, but with the input's name as it is, in whatever letters.
fn name_of(input: &Path, spec: &OutputSpec, format: FileFormat) -> String {
    /// Stands for the input's name meanwhile; no recipe has it in a name.
    const STEM: &str = "pixmill-stem-of-input";
    let part = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let name = match part(input.extension()) {
        extension if extension.is_empty() => STEM.to_owned(),
        extension => format!("{STEM}.{extension}"),
    };
    let stored = spec.segment_for(&DisplayName::from_client(&name).segment(), format);
    stored.as_str().replacen(STEM, &part(input.file_stem()), 1)
}

/// The file, unless it is larger than the limit.
pub(super) fn read_within(path: &Path, limits: &Limits) -> anyhow::Result<Vec<u8>> {
    limits.check(LimitName::InputBytes, fs::metadata(path)?.len())?;
    Ok(fs::read(path)?)
}

impl Names {
    fn of(jobs: &[Job]) -> Self {
        let real = |job: &Job| Some((fs::canonicalize(&job.input).ok()?, job.input.clone()));
        Self {
            inputs: jobs.iter().filter_map(real).collect(),
            results: Mutex::default(),
        }
    }

    /// Takes `path` for the result of `input`.
    fn claim(&self, path: &Path, input: &Path) -> anyhow::Result<()> {
        let overwritten = path.exists().then(|| fs::canonicalize(path)).transpose()?;
        match overwritten.and_then(|path| self.inputs.get(&path)) {
            None => {}
            Some(own) if own == input => {
                bail!("the result would overwrite the input, choose another output folder or name")
            }
            Some(other) => bail!(
                "the result would overwrite {}, which is an input too, choose another output folder or name",
                other.display()
            ),
        }
        // A poisoned lock means another thread panicked between two map operations; the map is whole.
        let mut results = self.results.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match results.insert(path.to_owned(), input.to_owned()) {
            None => Ok(()),
            Some(other) => {
                let problem = format!("{} is also the result of {}", path.display(), other.display());
                results.insert(path.to_owned(), other);
                bail!("{problem}, rename one of the two or choose a name with another format")
            }
        }
    }
}

/// Writes a file so that nobody sees half of it.
fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().context("a result needs a folder")?;
    let mut file = tempfile::Builder::new().prefix(".pixmill-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    let file = file.persist(path)?;
    // Temporary files are private; results get the permissions any new file would.
    make_readable(&file)?;
    Ok(())
}

fn make_readable(file: &fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

/// Stops the engine when one image took too long.
pub(super) struct Deadline {
    at: Instant,
    limit: Duration,
}

impl Deadline {
    /// That of an image whose milling begins now.
    pub(super) fn of(limits: &Limits) -> Self {
        let limit = limits.task_timeout();
        Self {
            at: Instant::now() + limit,
            limit,
        }
    }

    pub(super) fn explain(&self, error: EngineError) -> anyhow::Error {
        match error {
            EngineError::Stopped => {
                anyhow::anyhow!(
                    "took longer than task_timeout, {}",
                    humantime::format_duration(self.limit)
                )
            }
            other => other.into(),
        }
    }
}

impl Control for Deadline {
    fn should_stop(&self) -> bool {
        Instant::now() >= self.at
    }
}

/// The files among `inputs`, and every image file below the folders among them.
fn collect(inputs: &[PathBuf], output: &Path) -> anyhow::Result<Vec<Job>> {
    let mut jobs = Vec::new();
    for input in inputs {
        let metadata = fs::metadata(input).with_context(|| format!("cannot read {}", input.display()))?;
        if metadata.is_dir() {
            collect_folder(input, output, &mut jobs)?;
        } else {
            jobs.push(Job {
                input: input.clone(),
                folder: output.to_owned(),
            });
        }
    }
    Ok(jobs)
}

fn collect_folder(folder: &Path, output: &Path, jobs: &mut Vec<Job>) -> anyhow::Result<()> {
    let unreadable = || format!("cannot read folder {}", folder.display());
    let mut entries: Vec<_> = fs::read_dir(folder)
        .and_then(Iterator::collect)
        .with_context(unreadable)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // Symbolic links are followed to files, not to folders: a link to a parent would never end.
        if entry.file_type().with_context(unreadable)?.is_dir() {
            if !is_same_folder(&path, output) {
                collect_folder(&path, &output.join(entry.file_name()), jobs)?;
            }
        } else if looks_like_image(&path) && path.is_file() {
            jobs.push(Job {
                input: path,
                folder: output.to_owned(),
            });
        }
    }
    Ok(())
}

/// Whether the results of an earlier run lie there: they are not milled again.
fn is_same_folder(path: &Path, output: &Path) -> bool {
    matches!((fs::canonicalize(path), fs::canonicalize(output)), (Ok(path), Ok(output)) if path == output)
}

fn looks_like_image(path: &Path) -> bool {
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    ImageFormat::ALL.iter().any(|format| format.has_extension(extension))
}

fn extensions() -> String {
    let all = ImageFormat::ALL.iter().flat_map(|format| format.extensions());
    all.map(|extension| format!(".{extension}"))
        .collect::<Vec<_>>()
        .join(", ")
}
