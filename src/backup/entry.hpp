#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reconciler/digest.hpp"

namespace left4me::backup {

/// A backup is a tar archive (pax, compressed with zstd). Its first entry, about_name, says what it is. The
/// last one is sums_name. Between them, the first name of a path is its section: "manifests", "servers", ….
inline constexpr const char* about_name = "left4me-backup";
inline constexpr const char* sums_name = "SHA256SUMS";
/// The section of what servers wrote, the last and largest one.
inline constexpr const char* servers_section = "servers";
inline constexpr std::size_t max_about_bytes = 65536;
inline constexpr std::size_t max_entries = 2'000'000;
inline constexpr std::size_t max_attribute_bytes = 65536;
inline constexpr std::size_t max_depth = 128;

/// What overlayfs calls a whiteout is a character device 0:0: a file of a lower layer that was removed.
enum class Type : char { Directory = 'd', File = 'f', Link = 'l', Whiteout = 'w' };

struct Entry {
    Type type = Type::File;
    std::string path;
    unsigned mode = 0;  ///< permissions, with the set-group-ID and sticky bits of directories
    std::string user;
    std::string group;
    std::int64_t modified = 0;  ///< seconds since 1970
    std::string target;         ///< of a link
    std::map<std::string, std::string> attributes;
};

/// Whether a backup keeps this extended attribute: the game's own, and overlayfs' mark of an opaque
/// directory. Others describe the host that they were set on (overlayfs' origin), or give rights.
bool is_kept_attribute(std::string_view name);

/// Why no entry may have this path; empty: it may. Refused are absolute paths, empty names, "." and "..",
/// names that are not UTF-8 or have a control character, and what is too long or too deep.
std::string why_not_a_path(std::string_view path);

/// The text of a Row (builder/messages.hpp), and back; nullopt: it is none.
std::string to_row(const Entry& entry);
std::optional<Entry> from_row(const std::vector<std::string_view>& fields);

/// What the last entry says: of each file `SHA256  PATH`, as `sha256sum --check` reads it, and one digest of
/// all entries with their owners, modes and attributes.
class Sums {
  public:
    /// `content`: of a file, its SHA-256; otherwise empty.
    void add(const Entry& entry, const std::string& content);
    std::string text();
    /// The length of text().
    std::size_t text_bytes() const;
    std::size_t entries() const { return entries_; }

  private:
    std::string files_;
    Digest all_;
    std::size_t entries_ = 0;
};

}  // namespace left4me::backup
