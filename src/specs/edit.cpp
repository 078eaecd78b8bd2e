#include "specs/edit.hpp"

#include "specs/documents.hpp"
#include "specs/yaml.hpp"

namespace left4me {
namespace {

std::string_view cut(std::string_view text, const DocumentSpan& span) {
    return text.substr(span.begin, span.end - span.begin);
}

/// Adds a final line break, so that a `---` line can follow.
std::string whole_lines(std::string_view text, std::string_view newline) {
    std::string lines(text);
    if (!lines.empty() && !lines.ends_with('\n')) lines += newline;
    return lines;
}

std::string_view without_separator(std::string_view document) {
    const std::vector<DocumentSpan> spans = split_documents(document);
    for (const DocumentSpan& span : spans) {
        const std::string_view body = document.substr(span.body, span.end - span.body);
        if (!is_blank(body)) return body;
    }
    return document;
}

/// Where the first document begins after a comment block at the head of the file: after the last blank line
/// before the first line with content. `begin` if there is none.
std::size_t behind_header(std::string_view document) {
    std::size_t header = 0;
    for (std::size_t at = 0; at < document.size();) {
        const std::size_t newline = document.find('\n', at);
        const std::size_t next = newline == std::string_view::npos ? document.size() : newline + 1;
        const std::string_view line = document.substr(at, next - at);
        const std::size_t content = line.find_first_not_of(" \t\r\n");
        if (content == std::string_view::npos) {
            header = next;
        } else if (line[content] != '#') {
            break;
        }
        at = next;
    }
    return header;
}

}  // namespace

std::vector<ListedDocument> list_documents(std::string_view text) {
    std::vector<ListedDocument> listed;
    for (const DocumentSpan& span : split_documents(text)) {
        ListedDocument& entry = listed.emplace_back();
        const yaml::Document document = yaml::parse(cut(text, span), {});
        if (document.root == nullptr) continue;
        const yaml::Node* kind = document.root->get("kind");
        const yaml::Node* metadata = document.root->get("metadata");
        const yaml::Node* name = metadata == nullptr ? nullptr : metadata->get("name");
        if (kind != nullptr && name != nullptr) entry = {kind->text, name->text};
    }
    return listed;
}

std::string_view document_text(std::string_view text, std::size_t document) {
    const DocumentSpan span = split_documents(text).at(document);
    return text.substr(span.body, span.end - span.body);
}

std::string replace_document(std::string_view text, std::size_t document, std::string_view replacement) {
    const DocumentSpan span = split_documents(text).at(document);
    const std::string_view newline = line_ending(text);
    std::string result(text.substr(0, span.begin));
    // The separator stays, with a comment on its line; content on its line is removed with the document.
    if (span.body > span.begin) {
        result += whole_lines(text.substr(span.begin, span.body - span.begin), newline);
    } else if (text.substr(span.begin).starts_with("---")) {
        result += "---" + std::string(newline);
    }
    const std::string_view body = without_separator(replacement);
    const bool last = span.end == text.size();
    result += last && !text.ends_with('\n') ? std::string(body) : whole_lines(body, newline);
    return result += text.substr(span.end);
}

std::string remove_document(std::string_view text, std::size_t document) {
    const DocumentSpan span = split_documents(text).at(document);
    const bool separated = text.substr(span.begin).starts_with("---");
    const std::size_t keep = document == 0 && !separated ? behind_header(cut(text, span)) : 0;
    std::string result(text.substr(0, span.begin + keep));
    return result += text.substr(span.end);
}

std::string append_document(std::string_view text, std::string_view addition) {
    const std::string_view newline = line_ending(text);
    std::string result = whole_lines(text, newline);
    if (!is_blank(text.substr(byte_order_mark(text)))) result += "---" + std::string(newline);
    return result += whole_lines(without_separator(addition), newline);
}

}  // namespace left4me
