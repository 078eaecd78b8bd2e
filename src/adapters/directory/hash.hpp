#pragma once

#include <openssl/evp.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace left4me {

/// The first 16 hex digits of a SHA-256 over a sequence of texts. Each text is hashed with its length, so
/// that different sequences differ.
class ShortHash {
  public:
    ShortHash() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
        if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) {
            throw std::runtime_error("SHA-256 is not available");
        }
    }

    void add(std::string_view text) {
        update(std::to_string(text.size()) + ":");
        update(text);
    }

    std::string digits() {
        std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
        EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
        std::string hex;
        for (std::size_t i = 0; i < 8; ++i) {
            constexpr std::string_view letters = "0123456789abcdef";
            hex += letters[digest[i] >> 4U];
            hex += letters[digest[i] & 15U];
        }
        return hex;
    }

  private:
    void update(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }

    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace left4me
