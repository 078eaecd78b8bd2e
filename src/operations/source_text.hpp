#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "specs/fields.hpp"
#include "specs/load.hpp"

namespace left4me::operations {

/// The kind and name of a document, read without validating the rest.
struct DocumentName {
    Kind kind = Kind::Server;
    std::string name;

    auto operator<=>(const DocumentName&) const = default;
};

std::string to_string(const DocumentName& name);

/// One document in a file of a source.
struct DocumentPlace {
    std::size_t file = 0;      ///< index into the files
    std::size_t document = 0;  ///< index within the file, including blank ones
};

/// The documents of a file whose kind and name can be read. Others do not concern an edit; load() reports
/// them.
std::vector<std::pair<DocumentName, std::size_t>> name_documents(const std::string& text);

/// The position of each document; the first one if there are several.
using DocumentIndex = std::map<DocumentName, DocumentPlace>;
DocumentIndex index_documents(const std::vector<SourceFile>& files);

/// A document's own text, without the `---` line and without surrounding blank lines.
std::string document_body(const std::string& text, std::size_t document);

/// Whether only comments and markers are left of a file.
bool has_no_documents(const std::string& text);

}  // namespace left4me::operations
