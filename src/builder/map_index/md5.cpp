#include "builder/map_index/md5.hpp"

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <memory>
#include <span>

#include "adapters/store/files.hpp"

namespace left4me::builder {

namespace {

struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

std::unexpected<std::string> unusable() {
    errno = ENOTSUP;
    return std::unexpected(std::string("this OpenSSL has no MD5, which indexes of maps need"));
}

}  // namespace

std::expected<std::string, std::string> md5_of(int file, const std::string& shown) {
    const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
    if (!context || EVP_DigestInit_ex(context.get(), EVP_md5(), nullptr) != 1) return unusable();
    std::string buffer(1U << 20U, '\0');
    for (std::uint64_t at = 0;;) {
        const auto read = store::read_at(file, buffer, at, shown);
        if (!read) return std::unexpected(read.error());
        if (read->empty()) break;
        if (EVP_DigestUpdate(context.get(), read->data(), read->size()) != 1) return unusable();
        at += read->size();
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    if (EVP_DigestFinal_ex(context.get(), bytes.data(), &size) != 1) return unusable();
    std::string hex;
    for (const unsigned char byte : std::span(bytes).first(size)) {
        constexpr const char* digits = "0123456789abcdef";
        hex += digits[byte >> 4U];
        hex += digits[byte & 0xfU];
    }
    return hex;
}

}  // namespace left4me::builder
