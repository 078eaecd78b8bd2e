#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "specs/fields.hpp"
#include "specs/load.hpp"

namespace left4me::operations {

/// What a document says it is, read without validating the rest of it.
struct DocumentName {
    Kind kind = Kind::Server;
    std::string name;

    auto operator<=>(const DocumentName&) const = default;
};

std::string to_string(const DocumentName& name);

/// One document in a file of a source.
struct DocumentPlace {
    std::size_t file = 0;      ///< index into the files
    std::size_t document = 0;  ///< index within the file, blank ones counted
};

/// The documents of a file that say what they are. Others are none of an edit's business; load() speaks about
/// them.
std::vector<std::pair<DocumentName, std::size_t>> name_documents(const std::string& text);

/// Where each document stands; the first place if it stands in several.
using DocumentIndex = std::map<DocumentName, DocumentPlace>;
DocumentIndex index_documents(const std::vector<SourceFile>& files);

/// A document's own text, without the `---` above it and without blank lines around it.
std::string document_body(const std::string& text, std::size_t document);

/// Whether nothing but comments and markers is left of a file.
bool has_no_documents(const std::string& text);

}  // namespace left4me::operations
