#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "specs/kind.hpp"
#include "specs/violation.hpp"

namespace left4me {

/// What a field holds. The values that are written as one word have their grammar in specs/grammars.
enum class Type {
    Map,         ///< the fields in `children`
    Choice,      ///< exactly one of the fields in `children`; at most one if it is not required
    TextMap,     ///< keys of the type of children[0], values of the type of children[1]
    List,        ///< items of the type of children[0]
    Constant,    ///< the one text in `values`
    Enum,        ///< one of `values`
    Switch,      ///< true, false
    Name,        ///< of an object, is_valid_name()
    Label,       ///< key or value of a label
    Port,        ///< a plain integer
    Integer,     ///< 10000
    Signed,      ///< -5
    CpuSet,      ///< processors of the host: 0-3,8
    Dscp,        ///< of packets: ef, 46
    Size,        ///< of bytes: 512Mi, 2Gi
    Percentage,  ///< 25%
    Share,       ///< of a number of servers: 25%, 2
    Duration,    ///< 90s, 30m, 12h, 2d
    TimeOfDay,   ///< 04:00
    Calendar,    ///< 04:00, Mon 05:00
    Deadline,    ///< Duration or TimeOfDay
    Window,      ///< 04:00-08:00
    Directory,   ///< absolute and normalised path on the host, outside of left4me's own
    HostPath,    ///< absolute path on the host, normalised when it is read
    FilePath,    ///< relative path within an overlay
    Argument,    ///< one word of the game's command line
    Line,        ///< text without line breaks, not empty
    SecretFile,  ///< the name of a file in /etc/left4me/secrets
    CvarName,    ///< of a variable of the game's console
    CvarValue,   ///< what such a variable is set to; text with placeholders
    Config,      ///< text with placeholders
    ArchiveUrl,  ///< https://…, or the absolute path of a file on the host, outside of left4me's own
    HttpsUrl,    ///< https://…
    WorkshopId,  ///< the number of an item or a collection of the Steam workshop
    BuildId,     ///< the number of a build at Steam
    Sha256,      ///< 64 lower-case hexadecimal digits
    GitUrl,      ///< of a repository: as ArchiveUrl, ssh://… or user@host:path
    HostKey,     ///< the public key of an ssh server: "ssh-ed25519 AAAA…"
    GitRef,      ///< a branch, a tag or a commit
    TreePath,    ///< FilePath of a directory, or `.`
    Text,        ///< any text
};

/// The field has a meaning only while its sibling `field` has this value; while it is there at all if `value`
/// is empty. No name: always.
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
    /// Constant, Enum, Switch: those that are possible. Name: the only one, of a kind of which there is one.
    std::span<const std::string_view> values = {};
    /// Port, Integer, Signed, Dscp: the value. Size: bytes. Duration: seconds. List: items.
    std::int64_t minimum = 0;
    /// As `minimum`; of other texts: bytes, of TextMap: entries. 0: no limit.
    std::int64_t maximum = 0;
    std::optional<Kind> refers_to = {};  ///< Name: the kind that must have an object of this name
    /// Item of a List, with `refers_to`: the sibling list that must have it as well.
    std::string_view listed_in = {};
    bool unique = false;  ///< List: no item twice. Port: no two servers with the same
    std::span<const Field> children = {};
    OnlyWith only_with = {};    ///< of an optional field
    bool or_one = false;        ///< List: a single item may be written without the list
    bool may_be_empty = false;  ///< Map, Choice: the key without a value stands for one without entries
    /// A rule of this field alone, beyond its type; nullptr: none.
    void (*check)(std::string_view text, Violations& violations) = nullptr;
};

/// Everything that is known about a kind.
struct KindEntry {
    Kind kind = Kind::Server;
    std::string_view name;        ///< "server", as in `server/comp1`
    std::string_view plural;      ///< "servers"
    std::string_view short_name;  ///< "srv"
    /// A Map of apiVersion, kind, metadata and spec. Its name is what manifests call the kind: "Server".
    Field object;
};

/// One entry for each Kind.
std::span<const KindEntry> kinds();
const KindEntry& entry_of(Kind kind);

/// By the name that manifests use, which is case-sensitive; nullptr if there is no such kind.
const KindEntry* find_kind(std::string_view word);
/// `server`, `servers`, `srv`, in any case; nullopt if it is no kind.
std::optional<Kind> parse_kind(std::string_view word);

/// nullptr if `parent` has no such field.
const Field* find_child(const Field& parent, std::string_view name);

/// The most layers an overlay filesystem takes (OVL_MAX_STACK), less the instance layer and the installation.
inline constexpr std::int64_t max_overlays = 500 - 2;

}  // namespace left4me
