//! Promises of containers: what is there inside, and what is told where there is nothing to run.

#![expect(clippy::unwrap_used, reason = "a test program: clippy knows tests by an attribute that these lack")]

use std::fs;
use std::path::Path;

use giga_engine::contract::scene::Scene;
use giga_engine::{End, EngineError, OutputStream};
use giga_model::{Container, ContainerRuntime};

use super::InContainer;
use super::image::MARK;

/// A promise, which panics where it is broken.
type Own = fn(&InContainer);

pub(super) const CASES: &[(&str, Own)] = &[
    ("a container has its folder, its variables and its image", a_container_has_what_it_needs),
    ("a container can not change the data it reads", data_can_only_be_read),
    ("a folder of a container may be where its image has none", a_folder_may_be_anywhere),
    ("what can not be run in a container is told", what_is_missing_is_told),
];

fn said(scene: &Scene<'_>, stream: OutputStream) -> String {
    let chunk = scene.engine.output(scene.attempt(), stream, 0, 10_000).unwrap();
    String::from_utf8_lossy(&chunk.bytes).into_owned()
}

fn container<'s>(scene: &'s mut Scene<'_>) -> &'s mut Container {
    scene.launch.container.as_mut().expect("the bench has containers")
}

fn a_container_has_what_it_needs(bench: &InContainer) {
    let script = format!(
        "pwd; ls -d /{MARK} /usr; echo $EPOCHS $GIGA_JOB $GIGA_HOST_COUNT $GIGA_ON_EACH_HOST; \
         test -n \"$MASTER_ADDR\" && echo kept > kept; echo lost > /lost"
    );
    let mut scene = Scene::of(bench, &script);
    scene.launch.env.insert("EPOCHS".into(), "3".into());
    scene.start();
    scene.ends(&End::Exited { code: 1 }, 1);
    let job = scene.attempt().job;
    let folder = bench.local.folder(scene.attempt());
    let work = folder.parent().and_then(Path::parent).unwrap().join("work").join(job.to_string());
    let expected = format!("{}\n/{MARK}\n3 {job} 1 env\n", work.display());
    assert_eq!(said(&scene, OutputStream::Out), expected, "{}", said(&scene, OutputStream::Err));
    assert_eq!(fs::read_to_string(work.join("kept")).unwrap(), "kept\n");
    let complaints = said(&scene, OutputStream::Err);
    assert!(
        complaints.contains("/usr: No such file") && complaints.contains("/lost: Read-only"),
        "{complaints}"
    );
}

fn data_can_only_be_read(bench: &InContainer) {
    let data = tempfile::tempdir_in("/var/tmp").unwrap();
    fs::write(data.path().join("scan"), "bytes\n").unwrap();
    let script = "cat \"$DATA/scan\"; echo more > \"$DATA/scan\" || rm \"$DATA/scan\" || echo as it was";
    let mut scene = Scene::of(bench, script);
    container(&mut scene).reads.push(data.path().to_owned());
    scene.launch.env.insert("DATA".into(), data.path().to_str().unwrap().to_owned());
    scene.start();
    scene.ends(&End::Exited { code: 0 }, 1);
    assert_eq!(said(&scene, OutputStream::Out), "bytes\nas it was\n");
    assert_eq!(fs::read_to_string(data.path().join("scan")).unwrap(), "bytes\n");
    fs::write(data.path().join("scan"), "").expect("outside nothing changed");
}

fn a_folder_may_be_anywhere(bench: &InContainer) {
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    let deep = folder.path().join("a folder/deep");
    fs::create_dir_all(&deep).unwrap();
    let mut scene = Scene::of(bench, "echo here > there; pwd");
    scene.launch.workdir = Some(deep.clone());
    scene.start();
    scene.ends(&End::Exited { code: 0 }, 1);
    assert_eq!(said(&scene, OutputStream::Out), format!("{}\n", deep.display()));
    assert_eq!(fs::read_to_string(deep.join("there")).unwrap(), "here\n");
}

fn what_is_missing_is_told(bench: &InContainer) {
    let not_started = |change: &dyn Fn(&mut Scene<'_>), piece: &str| {
        let mut scene = Scene::of(bench, "");
        change(&mut scene);
        scene.start();
        let end = scene.receipt().end;
        assert!(matches!(&end, End::NotStarted { cause } if cause.contains(piece)), "{piece}: {end:?}");
        assert_eq!(scene.begun(), 0);
    };
    let gone = |scene: &mut Scene<'_>| container(scene).image = "/no/such/image".into();
    not_started(&gone, "`/no/such/image`");
    let file = |scene: &mut Scene<'_>| container(scene).image = "/etc/passwd".into();
    not_started(&file, "is no folder");
    let linked = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/elsewhere", linked.path().join("var")).unwrap();
    let image = linked.path().to_str().unwrap().to_owned();
    let linked = |scene: &mut Scene<'_>| {
        container(scene).image = image.clone();
        container(scene).reads.push("/var/tmp".into());
    };
    not_started(&linked, "is no folder; name another");
    if giga_engine::runtime_program(ContainerRuntime::Apptainer).is_none() {
        let other = |scene: &mut Scene<'_>| container(scene).runtime = ContainerRuntime::Apptainer;
        not_started(&other, "`apptainer` is not on");
    }
    for image in ["docker://debian:12", "relative", "-w", "--x://y", "/zero\0"] {
        let mut scene = Scene::of(bench, "");
        container(&mut scene).image = image.into();
        let answer = scene.engine.start(&scene.launch);
        assert!(matches!(answer, Err(EngineError::Refused { .. })), "{image}: {answer:?}");
    }
    let mut scene = Scene::of(bench, "");
    scene.launch.workdir = Some("/".into());
    let answer = scene.engine.start(&scene.launch);
    assert!(matches!(answer, Err(EngineError::Refused { .. })), "{answer:?}");
}
