#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace left4me {

/// What a field holds. Everything that depends on the type alone (its words, its pattern, its check) lives in
/// value_types.cpp.
enum class Type {
    Map,         ///< the fields in `children`
    Choice,      ///< exactly one of the fields in `children`
    TextMap,     ///< keys of the type of children[0], values of the type of children[1]
    List,        ///< items of the type of children[0]
    Constant,    ///< the one text in `values`
    Enum,        ///< one of `values`
    Name,        ///< of an object, is_valid_name()
    Label,       ///< key or value of a label
    Port,        ///< a plain integer
    Duration,    ///< 90s, 30m, 12h, 2d
    Directory,   ///< absolute path of the host
    FilePath,    ///< relative path within an overlay
    Argument,    ///< one word of the game's command line
    SecretFile,  ///< the name of a file in /etc/left4me/secrets
    Config,      ///< text with placeholders
    Text,        ///< any text
    NotYet,      ///< known, but not supported by this version
};

/// The field has a meaning only while its sibling `field` has this value. No name: always.
struct OnlyWith {
    std::string_view field = {};
    std::string_view value = {};
};

/// One field, defined here and nowhere else: the parser, `explain`, the JSON Schema and the reference page
/// all read this. Texts are for operators.
struct Field {
    std::string_view name;
    Type type = Type::Text;
    bool required = false;
    std::string_view default_value = {};  ///< of an optional field; empty: none
    std::string_view documentation;
    std::string_view example = {};  ///< YAML, as it stands behind the name and the colon (or in the list)
    std::span<const std::string_view> values = {};
    std::int64_t minimum = 0;         ///< Port: value
    std::int64_t maximum = 0;         ///< Port: value; texts: bytes; List, TextMap: entries. 0: no limit
    std::string_view refers_to = {};  ///< Name: the kind that must have an object of this name
    bool unique = false;              ///< List: no item twice. Port: no two servers with the same
    std::span<const Field> children = {};
    OnlyWith only_with = {};  ///< of an optional field
};

/// The three kinds: each a Map of apiVersion, kind, metadata and spec. `name` is the kind, "Server".
std::span<const Field> kinds();

/// nullptr if there is no such kind (kinds are case-sensitive in manifests).
const Field* find_kind(std::string_view kind);
/// nullptr if `parent` has no such field.
const Field* find_child(const Field& parent, std::string_view name);

/// The most layers an overlay filesystem takes (OVL_MAX_STACK), less the instance layer and the installation.
inline constexpr std::int64_t max_overlays = 500 - 2;

}  // namespace left4me
