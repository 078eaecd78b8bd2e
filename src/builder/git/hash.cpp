#include "builder/git/hash.hpp"

#include <git2.h>

#include <algorithm>

namespace left4me::builder {

namespace {

int value_of(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

}  // namespace

std::optional<ObjectId> parse_object_id(std::string_view text) {
    if (text.size() != 2 * ObjectId::size) return std::nullopt;
    ObjectId id;
    for (std::size_t i = 0; i < ObjectId::size; ++i) {
        const int high = value_of(text[2 * i]);
        const int low = value_of(text[2 * i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        id.bytes.at(i) = static_cast<unsigned char>(16 * high + low);
    }
    return id;
}

ObjectId object_id_of(std::string_view bytes) {
    ObjectId id;
    std::copy_n(bytes.begin(), std::min(bytes.size(), ObjectId::size), id.bytes.begin());
    return id;
}

std::string to_text(const ObjectId& id) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const unsigned char byte : id.bytes) {
        text += digits[byte >> 4U];
        text += digits[byte & 0xfU];
    }
    return text;
}

void prepare_hashing() {
    static const int once = git_libgit2_init();
    (void)once;
    (void)id_of(ObjectType::Blob, "");
}

std::optional<ObjectId> id_of(ObjectType type, std::string_view content) {
    git_oid id{};
    if (git_odb_hash(&id, content.data(), content.size(), static_cast<git_object_t>(type)) != 0)
        return std::nullopt;
    ObjectId result;
    std::copy_n(std::begin(id.id), ObjectId::size, result.bytes.begin());
    return result;
}

}  // namespace left4me::builder
