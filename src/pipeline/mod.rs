//! Joins the stages of a render.
