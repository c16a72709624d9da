"""Every error code that a user can meet: stable, with a sentence that says what to do next."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorKind:
    """`http_status` where the door answers with it; None where it ends a job instead."""

    sentence: str
    http_status: int | None = None


ERRORS: dict[str, ErrorKind] = {
    # At the door: HTTP 4xx/5xx problem documents.
    "invalid_request": ErrorKind("The request is not one this API understands; see /docs.", 422),
    "empty_file": ErrorKind("The file is empty; submit the clip again.", 422),
    "too_large": ErrorKind("The file is larger than this installation accepts; cut it first.", 413),
    "unsupported_media": ErrorKind(
        "This is no video or sound file that can be analysed; "
        "submit MP4, MOV, WebM, MKV, AVI, MPEG, WAV, FLAC, MP3, OGG or M4A.", 415
    ),
    "playlist_refused": ErrorKind(
        "This is a playlist, which would open other files; submit the clip itself.", 415
    ),
    "url_forbidden": ErrorKind(
        "This URL is not fetched: only https to public addresses is; upload the file instead.", 422
    ),
    "uri_forbidden": ErrorKind(
        "This place in the object store may not be read by submitters; use an allowed bucket.", 422
    ),
    "idempotency_conflict": ErrorKind(
        "This Idempotency-Key came before with another body; use a new key.", 409
    ),
    "not_found": ErrorKind("There is no such job or artifact; check the id.", 404),
    "job_deleted": ErrorKind("This job was deleted; submit the clip again under a new key.", 409),
    "not_ready": ErrorKind(
        "The service is starting or a dependency is away; try again in some seconds.", 503
    ),
    "internal_error": ErrorKind("Something went wrong on our side; try again, and tell the operator.", 500),
    # At the end of a job.
    "fetch_failed": ErrorKind("The URL could not be fetched; check it, or upload the file instead."),
    "fetch_timeout": ErrorKind("The host sent the file too slowly; upload the file instead."),
    "media_missing": ErrorKind("The media are no longer in the object store; submit the clip again."),
    "unreadable_media": ErrorKind(
        "The file cannot be read as media: it is damaged or cut off; export it again."
    ),
    "unsupported_codec": ErrorKind(
        "The picture or sound uses a codec that cannot be decoded here; export as H.264 and AAC."
    ),
    "no_streams": ErrorKind("The file has neither picture nor sound."),
    "no_frames": ErrorKind("The video has no frame that can be decoded; export it again."),
    "too_long": ErrorKind("The clip is longer than this installation accepts; cut it first."),
    "too_many_pixels": ErrorKind(
        "The picture is larger than this installation accepts; scale it down first."
    ),
    "too_many_streams": ErrorKind(
        "The file has more streams than this installation accepts; export only picture and sound."
    ),
    "decoder_crashed": ErrorKind(
        "The decoder crashed on this file, which is damaged or hostile; export it again."
    ),
    "decoder_timeout": ErrorKind("Decoding took longer than allowed; cut or re-export the clip."),
    "nothing_to_analyse": ErrorKind("No window has a face or speech that could be analysed."),
    "deadline_passed": ErrorKind("The analysis did not finish before its deadline; submit the clip again."),
    "bundle_unavailable": ErrorKind(
        "The model bundle of this job is no longer loaded; submit the clip again."
    ),
    "artifacts_failed": ErrorKind("The verdict stands, but its pictures could not be made."),
    # Why one modality of a window or a job has no score (results.degraded[].reason).
    "no_video_stream": ErrorKind("The file has no picture."),
    "no_audio_stream": ErrorKind("The file has no sound."),
    "no_face": ErrorKind("No face was found."),
    "no_speech": ErrorKind("No speech was heard."),
    "past_end": ErrorKind("This stream ends before the other."),
    "not_started": ErrorKind("This stream starts later than the other."),
    "decode_failed": ErrorKind("This part could not be decoded."),
    "missing": ErrorKind("No record came before the deadline."),
    "scoring_failed": ErrorKind("The model could not score this part."),
}
