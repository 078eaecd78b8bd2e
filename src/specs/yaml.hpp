#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "specs/rule.hpp"

namespace left4me::yaml {

/// A position within one document's text; line and column count from 0.
struct Mark {
    int line = 0;
    int column = 0;
    std::size_t offset = 0;
};

struct Node;
using NodePtr = std::shared_ptr<const Node>;

struct Entry {
    std::string key;
    Mark mark;  ///< of the key
    NodePtr value;
};

/// One YAML value, with details that validation and text edits need and YAML::Node does not keep: the
/// position of keys, quotes, flow or block style, duplicate keys.
struct Node {
    enum class Kind { Null, Scalar, Sequence, Map };
    Kind kind = Kind::Null;
    Mark mark;
    bool plain = true;      ///< a scalar without quotes
    bool flow = false;      ///< `[a, b]` or `{a: b}`
    std::string text = {};  ///< of a scalar
    std::vector<NodePtr> items = {};
    std::vector<Entry> entries = {};  ///< in the order of the text
    std::size_t weight = 1;           ///< values within; aliases count as often as they are used

    /// The first entry with this key, or nullptr.
    const Entry* find(std::string_view key) const;
    /// The value of that entry, or nullptr; also if this is not a map.
    const Node* get(std::string_view key) const;
};

struct Problem {
    Rule rule = Rule::Syntax;
    Mark mark;
    std::string message;
};

/// Limits that stop hostile input quickly.
struct Bounds {
    std::size_t depth = 32;
    std::size_t values = 100'000;
    int first_line = 1;  ///< of the document within its file, for messages that name a second place
};

struct Document {
    NodePtr root;  ///< nullptr: the text could not be read to its end; a problem says why
    std::vector<Problem> problems;
};

/// Reads one document, as cut by split_documents(). Never throws.
Document parse(std::string_view text, const Bounds& bounds);

}  // namespace left4me::yaml
