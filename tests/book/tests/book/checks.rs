//! What is checked of the book.

use crate::pages::Pages;
use crate::{
    commands, errors, faulty_servers, glossary, includes, links, listings,
    patches, shape,
};

/// A check: what it finds wrong, each with the page where it stands.
pub(crate) type Check = fn(&Pages) -> Vec<String>;

/// All checks of the pages.
pub(crate) const ALL: [(&str, Check); 17] = [
    ("every_include_exists_and_is_not_empty", includes::resolve),
    ("every_listing_is_compiled_code", includes::listings_are_code),
    ("every_listing_says_its_file", listings::are_as_the_code),
    ("every_name_in_a_listing_is_explained", listings::names_are_explained),
    ("every_term_is_explained_where_it_is_first_used", glossary::in_order),
    ("every_console_block_is_a_recording", includes::consoles_are_recorded),
    ("every_recording_is_shown", includes::recordings_are_shown),
    ("every_link_leads_somewhere", links::resolve),
    ("every_task_and_option_exists", commands::exist),
    ("every_error_is_as_the_table_says", errors::are_as_they_say),
    ("every_wrong_server_is_on_its_page", faulty_servers::are_shown),
    ("every_patch_applies", patches::apply),
    ("every_page_is_in_the_summary", shape::summary_is_complete),
    ("every_exercise_has_a_hint_and_a_solution", shape::exercises),
    ("exercises_are_numbered_in_reading_order", shape::exercise_numbers),
    ("every_code_block_names_its_language", shape::languages),
    ("every_list_is_meant", shape::lists),
];
