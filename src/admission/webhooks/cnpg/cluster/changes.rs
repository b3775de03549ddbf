//! What may not change in a Cluster that is there: `validateClusterChanges`.

use serde_json::Value;

use super::{item, storage};
use crate::admission::Reason;
use crate::admission::native::Look;
use crate::admission::webhooks::cnpg::settings;
use crate::admission::webhooks::cnpg::{Judging, defaults};

pub(super) fn check(cluster: &Value, old: &Value, judging: &mut Judging<'_>) {
    let mut old = old.clone();
    defaults::set(&mut old);
    let (new, before) = (cluster.at("spec"), old.at("spec"));
    image(cluster, &old, judging);
    configuration(new, before, judging);
    size(
        new.at("storage"),
        before.at("storage"),
        &["spec", "storage"],
        judging,
    );
    wal_storage(new, before, judging);
    tablespaces(new, before, judging);
    for field in ["postgresGID", "postgresUID"] {
        if new.int(field) != before.int(field) {
            judging.invalid(&["spec", field], "cannot be changed");
        }
    }
    slots(new, before, judging);
    wal_level(new, before, judging);
    let is_switching = cluster
        .down(&["status", "switchReplicaClusterStatus"])
        .flag("inProgress");
    if is_switching && settings::is_replica(cluster) != settings::is_replica(&old) {
        super::forbidden(
            judging,
            &["spec", "replica", "enabled"],
            "cannot be changed while a switch is in progress",
        );
    }
}

/// `validateImageChange`: the version that is there is that of the data directory.
fn image(cluster: &Value, old: &Value, judging: &mut Judging<'_>) {
    let major = |image: &Value| {
        image
            .int("majorVersion")
            .and_then(|m| u64::try_from(m).ok())
    };
    let there = major(old.down(&["status", "pgDataImageInfo"]));
    let (Some(wanted), Some(there)) = (settings::major(cluster), there) else {
        return;
    };
    let steps = match cluster.at("spec").has("imageCatalogRef") {
        true => &["spec", "imageCatalogRef", "major"][..],
        false => &["spec", "imageName"],
    };
    if there > wanted {
        judging.invalid(steps, "cannot go down to an older major version");
    } else if there < wanted && wanted < 16 {
        judging.invalid(steps, "can go up to version 16 and newer ones only");
    }
}

/// `validateConfigurationChange`.
fn configuration(new: &Value, old: &Value, judging: &mut Judging<'_>) {
    let parameters = |spec: &Value| spec.down(&["postgresql", "parameters"]).clone();
    if new.text("imageName") != old.text("imageName")
        && new.text("primaryUpdateMethod") == "switchover"
        && parameters(new) != parameters(old)
    {
        judging.invalid(
            &["spec", "imageName"],
            "cannot change together with parameters where primaryUpdateMethod is switchover",
        );
    }
}

/// `validateStorageConfigurationChange`.
fn size(new: &Value, old: &Value, steps: &[&str], judging: &mut Judging<'_>) {
    let sizes = storage::size_of(old).zip(storage::size_of(new));
    if sizes.is_some_and(|(old, new)| old > new) {
        judging.invalid(steps, "cannot shrink");
    }
}

fn wal_storage(new: &Value, old: &Value, judging: &mut Judging<'_>) {
    let steps = ["spec", "walStorage"];
    match (old.has("walStorage"), new.has("walStorage")) {
        (true, false) => judging.add(&steps, Reason::Invalid, "cannot be removed"),
        (true, true) => size(new.at("walStorage"), old.at("walStorage"), &steps, judging),
        (false, _) => {}
    }
}

fn tablespaces(new: &Value, old: &Value, judging: &mut Judging<'_>) {
    if old.has("tablespaces") && !new.has("tablespaces") {
        return judging.invalid(&["spec", "tablespaces"], "cannot be removed");
    }
    for (index, space) in old.items("tablespaces").iter().enumerate() {
        let index = item(index);
        let steps = ["spec", "tablespaces", index.as_str()];
        let name = space.text("name");
        let mut spaces = new.items("tablespaces").iter();
        match spaces.find(|space| space.text("name") == name) {
            Some(now) => size(now.at("storage"), space.at("storage"), &steps, judging),
            None => judging.invalid(&steps, "cannot be removed"),
        }
    }
}

/// `validateReplicationSlotsChange`.
fn slots(new: &Value, old: &Value, judging: &mut Judging<'_>) {
    let (new_slots, old_slots) = (new.at("replicationSlots"), old.at("replicationSlots"));
    let is_on = |slots: &Value, section: &str| {
        let section = slots.at(section);
        !section.is_null() && section.at("enabled").as_bool().unwrap_or(true)
    };
    for section in ["highAvailability", "synchronizeReplicas"] {
        if is_on(old_slots, section) && !new_slots.has(section) {
            let steps = ["spec", "replicationSlots", section];
            let last = 2 + usize::from(new.has("replicationSlots"));
            judging.invalid(&steps[..last], "cannot be removed while it is enabled");
        }
    }
    let prefix = |slots: &Value| slots.at("highAvailability").text("slotPrefix").to_owned();
    if is_on(old_slots, "highAvailability")
        && new_slots.has("highAvailability")
        && prefix(old_slots) != prefix(new_slots)
    {
        judging.invalid(
            &["spec", "replicationSlots", "highAvailability", "slotPrefix"],
            "cannot change while highAvailability is enabled",
        );
    }
}

fn wal_level(new: &Value, old: &Value, judging: &mut Judging<'_>) {
    let level = |spec: &Value| {
        let parameters = spec.down(&["postgresql", "parameters"]);
        parameters.text("wal_level").to_owned()
    };
    let before = level(old);
    if level(new) == "minimal" && !before.is_empty() && before != "minimal" {
        judging.invalid(
            &["spec", "postgresql", "parameters", "wal_level"],
            "cannot become minimal in a Cluster that is there",
        );
    }
}
