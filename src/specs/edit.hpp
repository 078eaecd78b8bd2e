#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "specs/manifest.hpp"

namespace left4me {

// Edits of a manifest file's text that keep what people wrote: every other document stays byte for byte, and
// within the edited one everything but the value. Documents are counted as in Origin::document.

/// What a document says it is; both empty when that cannot be read (or the document is blank).
struct ListedDocument {
    std::string kind;
    std::string name;

    bool operator==(const ListedDocument&) const = default;
};

/// One entry for each document, in the order of the text. Checks nothing else.
std::vector<ListedDocument> list_documents(std::string_view text);

/// Changes or adds `spec.state` of a Server. The error says why the text cannot be edited and asks the
/// operator to.
std::expected<std::string, std::string> set_state(std::string_view text, std::size_t document,
                                                  RunState state);

/// Puts `replacement` (one document, with or without a `---` line of its own) in the place of the document.
std::string replace_document(std::string_view text, std::size_t document, std::string_view replacement);

/// A comment block that heads the file, set off by a blank line, is kept.
std::string remove_document(std::string_view text, std::size_t document);

std::string append_document(std::string_view text, std::string_view addition);

/// The document's text without its `---` line: what replace_document() takes.
std::string_view document_text(std::string_view text, std::size_t document);

}  // namespace left4me
