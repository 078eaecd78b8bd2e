#include "operations/source_text.hpp"

#include <algorithm>

#include "specs/documents.hpp"
#include "specs/edit.hpp"

namespace left4me::operations {

namespace {

std::string_view body_of(std::string_view text, const DocumentSpan& span) {
    return text.substr(span.body, span.end - span.body);
}

std::string_view without_trailing_blanks(std::string_view text) {
    const std::size_t last = text.find_last_not_of(" \t\r\n");
    return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

std::optional<DocumentName> name_of(const ListedDocument& document) {
    const KindEntry* const kind = find_kind(document.kind);
    if (kind == nullptr) return std::nullopt;
    return DocumentName{kind->kind, document.name};
}

}  // namespace

std::string to_string(const DocumentName& name) {
    return std::string(to_string(name.kind)) + "/" + name.name;
}

std::vector<std::pair<DocumentName, std::size_t>> name_documents(const std::string& text) {
    std::vector<std::pair<DocumentName, std::size_t>> named;
    const std::vector<ListedDocument> documents = list_documents(text);
    for (std::size_t i = 0; i < documents.size(); ++i) {
        if (auto name = name_of(documents[i])) named.emplace_back(std::move(*name), i);
    }
    return named;
}

DocumentIndex index_documents(const std::vector<SourceFile>& files) {
    DocumentIndex index;
    for (std::size_t file = 0; file < files.size(); ++file) {
        for (const auto& [name, document] : name_documents(files[file].text)) {
            index.try_emplace(name, DocumentPlace{file, document});
        }
    }
    return index;
}

std::string document_body(const std::string& text, std::size_t document) {
    std::string_view body = document_text(text, document);
    while (body.starts_with('\n') || body.starts_with("\r\n"))
        body.remove_prefix(body.front() == '\r' ? 2 : 1);
    body = without_trailing_blanks(body);
    // A `...` closes a document only in its place; elsewhere it would close nothing.
    if (body.ends_with("\n...")) body = without_trailing_blanks(body.substr(0, body.size() - 4));
    return body.empty() ? std::string() : std::string(body) + "\n";
}

bool has_no_documents(const std::string& text) {
    const std::vector<DocumentSpan> spans = split_documents(text);
    return std::all_of(spans.begin(), spans.end(),
                       [&text](const DocumentSpan& span) { return is_blank(body_of(text, span)); });
}

}  // namespace left4me::operations
