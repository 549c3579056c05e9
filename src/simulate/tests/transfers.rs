//! Downloads, and what becomes of their images.

use super::*;

#[test]
fn a_download_ends_in_a_restart_and_a_transfer_complete() {
    let mut cpe = gateway();
    let image = firmware_image("2.0.0", 2000).unwrap();
    open(&mut cpe, NOW);
    let answer = ask(&mut cpe, &download("dl-1", "http://127.0.0.1:7567/f/x", image.len()));
    assert!(matches!(answer, Ok(CpeResponse::Download(ref response)) if response.status == 1));
    // Only once the session is over.
    assert_eq!(cpe.next(NOW), Next::Wait(None));
    end(&mut cpe, NOW);
    let Next::Fetch(fetch) = cpe.next(NOW) else { panic!() };
    assert_eq!((&*fetch.url, &*fetch.username), ("http://127.0.0.1:7567/f/x", "u"));
    cpe.transfer_done(Ok(&image), later(1));
    assert_eq!(cpe.software_version(), "1.0.0", "not before the restart");
    assert_eq!(cpe.next(later(1)), Next::Restart);
    cpe.restarted(later(2));
    cpe.take_happenings();

    assert_eq!(cpe.next(later(2)), Next::Session);
    let envelope = posted(cpe.open_session(later(2)));
    let Message::CpeRequest(CpeRequest::Inform(inform)) = envelope.message else { panic!() };
    let told = ["1 BOOT", "4 VALUE CHANGE", "7 TRANSFER COMPLETE", "M Download dl-1"];
    assert_eq!(events_of(&inform), told);
    let id = envelope.id.unwrap();
    let complete = posted(cpe.handle_reply(reply(200, &acs(&id, INFORM_RESPONSE)), later(2)));
    let Message::CpeRequest(CpeRequest::TransferComplete(report)) = complete.message else {
        panic!()
    };
    assert_eq!((&*report.command_key, report.fault_code.0), ("dl-1", 0));
    assert_eq!(
        (&*report.start_time, &*report.complete_time),
        ("2026-11-20T20:05:00Z", "2026-11-20T20:05:02Z")
    );
    let answer = acs(&complete.id.unwrap(), "<cwmp:TransferCompleteResponse/>");
    assert_eq!(cpe.handle_reply(reply(200, &answer), later(2)), Action::PostEmpty);
    end(&mut cpe, later(2));
    assert_eq!(cpe.software_version(), "2.0.0");
    assert!(matches!(cpe.next(later(2)), Next::Wait(_)), "nothing is owed any more");
}

#[test]
fn a_transfer_complete_without_an_answer_is_sent_again() {
    let mut cpe = gateway();
    open(&mut cpe, NOW);
    ask(&mut cpe, &download("dl-1", "http://127.0.0.1:7567/f/x", 0)).unwrap();
    end(&mut cpe, NOW);
    assert!(matches!(cpe.next(NOW), Next::Fetch(_)));
    cpe.transfer_done(Err(FetchFailure::Unauthorized), NOW);
    for attempt in 0..2 {
        let inform = {
            let at = later(100 * (attempt + 1));
            let envelope = posted(cpe.open_session(at));
            let id = envelope.id.unwrap();
            let complete = posted(cpe.handle_reply(reply(200, &acs(&id, INFORM_RESPONSE)), at));
            let Message::CpeRequest(CpeRequest::TransferComplete(report)) = complete.message else {
                panic!()
            };
            assert_eq!(report.fault_code.0, 9012);
            cpe.session_lost(SessionFailure::Connection("cut".into()), at);
            let Message::CpeRequest(CpeRequest::Inform(inform)) = envelope.message else {
                panic!()
            };
            inform
        };
        assert_eq!(events_of(&inform), ["7 TRANSFER COMPLETE", "M Download dl-1"]);
        assert_eq!(u64::from(inform.retry_count), attempt);
    }
}

#[test]
fn a_device_that_is_held_back_speaks_later() {
    let held = |body: &str, id: &str| {
        let text = String::from_utf8(acs(id, body)).unwrap();
        let hold = "</cwmp:ID><cwmp:HoldRequests soap:mustUnderstand=\"1\">1</cwmp:HoldRequests>";
        text.replace("</cwmp:ID>", hold).into_bytes()
    };
    let mut cpe = gateway();
    open(&mut cpe, NOW);
    ask(&mut cpe, &download("dl-1", "http://127.0.0.1/f", 0)).unwrap();
    end(&mut cpe, NOW);
    cpe.next(NOW);
    cpe.transfer_done(Err(FetchFailure::Missing), NOW);
    let id = posted(cpe.open_session(NOW)).id.unwrap();
    let answer = held(INFORM_RESPONSE, &id);
    assert_eq!(cpe.handle_reply(reply(200, &answer), NOW), Action::PostEmpty);
    // A request without the header lets go: after its answer the device speaks.
    ask(&mut cpe, "<cwmp:GetRPCMethods/>").unwrap();
    let complete = posted(cpe.handle_reply(reply(204, b""), NOW));
    assert!(matches!(complete.message, Message::CpeRequest(CpeRequest::TransferComplete(_))));
    let answer = acs(&complete.id.unwrap(), "<cwmp:TransferCompleteResponse/>");
    assert_eq!(cpe.handle_reply(reply(200, &answer), NOW), Action::PostEmpty);
    end(&mut cpe, NOW);
}

#[test]
fn other_images_are_told_as_of_no_use() {
    let image = firmware_image("2.0.0", 2000).unwrap();
    for (bytes, size) in [(&b"<html>"[..], 0), (&image[..], 1999)] {
        let mut cpe = gateway();
        open(&mut cpe, NOW);
        ask(&mut cpe, &download("dl", "http://127.0.0.1/f", size)).unwrap();
        end(&mut cpe, NOW);
        cpe.next(NOW);
        cpe.transfer_done(Ok(bytes), NOW);
        let failed = SimEvent::TransferFailed { command_key: "dl".into(), code: FaultCode(9018) };
        assert!(cpe.take_happenings().contains(&failed));
        assert_eq!(cpe.next(NOW), Next::Session, "no restart, but TransferComplete is owed");
    }
}
