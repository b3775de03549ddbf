//! What a change leaves as it was, and what it writes.

use std::sync::Arc;

use super::{Change, Form, Images, KustomizationText, ListField};
use crate::diagnostic::Report;
use crate::files::{File, TreePath};
use crate::kustomize::Level;

fn changed(text: &str, change: &Change, form: Form) -> String {
    let path = TreePath::parse("kustomization.yaml").expect("a name");
    let file = Arc::new(File::committed(path, text.as_bytes().to_vec()));
    let mut read = KustomizationText::read(file, Level::V5_8, form).expect("it is valid");
    let mut report = Report::default();
    read.apply(change, &mut report).expect("it can be made");
    String::from_utf8(read.write().expect("it can be written")).expect("it is UTF-8")
}

fn set_image(text: &str) -> Change {
    Change::Images(Images(vec![text.to_owned()]))
}

#[test]
fn what_a_change_does_not_concern_stays() {
    let text = "# ours\nresources:   # all of them\n  - 'a.yaml'\n\n  # the second\n  - b.yaml # b\n\nimages:\n  - {name: web, newTag: \"1\"}\n  - name: db   # kept\n    newTag: '2'\n# end\n";
    let wanted = text.replace("newTag: '2'", "newTag: '3'");
    assert_eq!(changed(text, &set_image("db:3"), Form::Sparing), wanted);
    let wanted = text.replace("{name: web, newTag: \"1\"}", "{name: web, newTag: \"4\"}");
    assert_eq!(changed(text, &set_image("web:4"), Form::Sparing), wanted);
    let add = Change::Add(ListField::Resources, vec!["c.yaml".to_owned()]);
    let wanted = text.replace("# b\n", "# b\n  - c.yaml\n");
    assert_eq!(changed(text, &add, Form::Sparing), wanted);
    let remove = Change::RemoveMatching(ListField::Resources, vec!["b*".to_owned()]);
    let wanted = text.replace("  - b.yaml # b\n", "");
    assert_eq!(changed(text, &remove, Form::Sparing), wanted);
}

#[test]
fn line_ends_and_indentation_are_those_of_the_file() {
    let add = Change::Add(ListField::Resources, vec!["c.yaml".to_owned()]);
    let text = "resources:\r\n- a.yaml\r\n";
    assert_eq!(
        changed(text, &add, Form::Sparing),
        "resources:\r\n- a.yaml\r\n- c.yaml\r\n"
    );
    let text = "resources: [a.yaml]\nnamespace: shop";
    let wanted = "resources: [a.yaml, c.yaml]\nnamespace: shop";
    assert_eq!(changed(text, &add, Form::Sparing), wanted);
    let namespace = Change::Namespace("prod".to_owned());
    let text = "components:\n    - a\n# last, without a line break";
    let wanted = "components:\n    - a\nnamespace: prod\n# last, without a line break";
    assert_eq!(changed(text, &namespace, Form::Sparing), wanted);
}

#[test]
fn what_stands_in_two_places_is_told_apart() {
    let text = "images:\n- &x\n  name: a\n  newTag: '1'\n- <<: *x\n  name: b\n";
    let given = changed(text, &set_image("a:2"), Form::Sparing);
    let wanted = "images:\n- name: a\n  newTag: \"2\"\n- name: b\n  newTag: \"1\"\n";
    assert_eq!(given, wanted);
}

#[test]
fn the_reference_writes_every_field_anew() {
    let text = "# ours\nresources: [a.yaml] # all\n\nimages:\n# db\n- {name: db, newTag: '1'}\n";
    let given = changed(text, &set_image("db:3"), Form::Reference);
    let wanted = "# ours\nresources:\n- a.yaml\n\n# db\nimages:\n- name: db\n  newTag: \"3\"\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";
    assert_eq!(given, wanted);
}
