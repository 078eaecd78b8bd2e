#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "specs/manifest.hpp"

namespace left4me {

// Edits of a manifest file's text that preserve what people wrote: other documents stay unchanged byte for
// byte, and in the edited one everything except the value. Documents are counted as in Origin::document.

/// The kind and name of a document; both empty if it cannot be read or is blank.
struct ListedDocument {
    std::string kind;
    std::string name;

    bool operator==(const ListedDocument&) const = default;
};

/// One entry per document, in the order of the text. Makes no other checks.
std::vector<ListedDocument> list_documents(std::string_view text);

/// Changes or adds `spec.state` of a Server. The error says why the text cannot be edited and what the
/// operator should write.
std::expected<std::string, std::string> set_state(std::string_view text, std::size_t document,
                                                  RunState state);

/// Replaces the document by `replacement` (one document, with or without its own `---` line).
std::string replace_document(std::string_view text, std::size_t document, std::string_view replacement);

/// Keeps a comment block at the head of the file that is followed by a blank line.
std::string remove_document(std::string_view text, std::size_t document);

std::string append_document(std::string_view text, std::string_view addition);

/// The document's text without its `---` line, as replace_document() takes it.
std::string_view document_text(std::string_view text, std::size_t document);

}  // namespace left4me
