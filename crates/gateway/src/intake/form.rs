//! An upload as a form: one field `file`, and the parameters before or after it.

use super::Source;
use super::body::UploadBody;
use super::disposition::Disposition;
use super::multipart::Multipart;
use super::parameters::{Parameters, RawParameters, invalid, shorten};
use super::staging::Arrival;
use crate::error::Problem;
use crate::problem::ProblemCode;

/// Largest value of a field other than the file, bytes.
const MAX_FIELD_BYTES: usize = 64 * 1024;
const KNOWN_FIELDS: &str = "file, recipe, priority, not_before and filename";

/// An upload that came whole; its file is with the arrival.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) parameters: Parameters,
}

/// Reads a form to its end.
///
/// # Errors
/// A problem when the form or the file in it is not as it must be.
pub(super) async fn receive(
    arrival: &mut Arrival<'_>,
    body: &mut UploadBody,
    boundary: &str,
    source: Source,
    query: RawParameters,
) -> Result<Received, Problem> {
    let max_start_delay = arrival.app().options.max_start_delay;
    // What is wrong with the query is said before a byte of the file is read.
    query.check(max_start_delay)?;
    let mut form = RawParameters::default();
    let mut multipart = Multipart::new(body, boundary);
    while let Some(part) = multipart.next_part().await? {
        if part.field == "file" {
            receive_file(arrival, &mut multipart, part, &form, &query).await?;
            continue;
        }
        let Some(value) = field_of(&mut form, source, &part.field) else {
            if source == Source::LenientForm || part.field == "_charset_" {
                continue;
            }
            let name = shorten(&part.field);
            let detail = format!("the form has a field {name:?}");
            return Err(invalid(name, detail, KNOWN_FIELDS));
        };
        if value.is_some() {
            let detail = format!("the form has two fields {:?}", part.field);
            return Err(invalid(part.field, detail, "one"));
        }
        if part.field == "filename" && arrival.has_begun() {
            let detail = "the form has its field \"filename\" after the file";
            return Err(invalid("filename", detail, "the place before the file"));
        }
        *value = Some(text(&mut multipart, part.field).await?);
    }
    if !arrival.has_begun() {
        let detail = "the form has no field \"file\"";
        return Err(Problem::new(ProblemCode::FileMissing, detail).parameter("file"));
    }
    Ok(Received {
        parameters: query.overridden_by(form).check(max_start_delay)?,
    })
}

async fn receive_file(
    arrival: &mut Arrival<'_>,
    multipart: &mut Multipart<'_>,
    part: Disposition,
    form: &RawParameters,
    query: &RawParameters,
) -> Result<(), Problem> {
    if arrival.has_begun() {
        return Err(invalid("file", "the form has two fields \"file\"", "one"));
    }
    // A recipe that is known by now lets the file be refused at its header; otherwise that waits for the form's end.
    let known = query.clone().overridden_by(form.clone());
    let recipe = match known.recipe {
        Some(_) => Some(known.check(arrival.app().options.max_start_delay)?.recipe),
        None => None,
    };
    let filename = known.filename.or(part.filename);
    arrival.expect(filename.as_deref(), recipe.as_ref()).await?;
    while let Some(bytes) = multipart.chunk().await? {
        arrival.take(bytes).await?;
    }
    Ok(())
}

/// The place of a parameter; `None` when the form has none of that name.
fn field_of<'a>(parameters: &'a mut RawParameters, source: Source, name: &str) -> Option<&'a mut Option<String>> {
    match (source, name) {
        (_, "recipe") => Some(&mut parameters.recipe),
        (Source::FormOrImage, "priority") => Some(&mut parameters.priority),
        (Source::FormOrImage, "not_before") => Some(&mut parameters.not_before),
        (Source::FormOrImage, "filename") => Some(&mut parameters.filename),
        (Source::LenientForm | Source::FormOrImage, _) => None,
    }
}

async fn text(multipart: &mut Multipart<'_>, field: String) -> Result<String, Problem> {
    let mut value = Vec::new();
    while let Some(bytes) = multipart.chunk().await? {
        if value.len() + bytes.len() > MAX_FIELD_BYTES {
            let detail = format!("the field {field:?} is larger than {MAX_FIELD_BYTES} bytes");
            return Err(Problem::new(ProblemCode::FieldTooLarge, detail)
                .limit("max_field_bytes", MAX_FIELD_BYTES as u64, None)
                .parameter(field));
        }
        value.extend_from_slice(&bytes);
    }
    String::from_utf8(value).map_err(|_| {
        let detail = format!("the field {field:?} is not text");
        invalid(field, detail, "UTF-8")
    })
}
