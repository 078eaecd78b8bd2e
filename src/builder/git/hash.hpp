#pragma once

#include <array>
#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace left4me::builder {

/// What names an object of git: a SHA-1.
struct ObjectId {
    static constexpr std::size_t size = 20;
    std::array<unsigned char, size> bytes{};

    auto operator<=>(const ObjectId&) const = default;
};

/// 40 lower-case hexadecimal digits; nullopt: `text` is something else.
std::optional<ObjectId> parse_object_id(std::string_view text);
/// Of `ObjectId::size` bytes.
ObjectId object_id_of(std::string_view bytes);
std::string to_text(const ObjectId& id);

enum class ObjectType { Commit = 1, Tree = 2, Blob = 3, Tag = 4 };

/// To be called once before id_of(), where files can still be opened.
void prepare_hashing();
/// nullopt: two different objects were made to have one SHA-1 (libgit2 notices), and this is one of them.
std::optional<ObjectId> id_of(ObjectType type, std::string_view content);

}  // namespace left4me::builder
