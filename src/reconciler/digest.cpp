#include "reconciler/digest.hpp"

#include <openssl/evp.h>

#include <cstring>
#include <new>
#include <string>

namespace left4me {

namespace {

/// Looked up once, because EVP_sha256() looks up its implementation at every use.
const EVP_MD* algorithm() {
    static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    return sha256;
}

}  // namespace

struct Digest::Context {
    EVP_MD_CTX* evp = EVP_MD_CTX_new();

    Context() {
        if (evp == nullptr || algorithm() == nullptr) throw std::bad_alloc();
        start();
    }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;
    ~Context() { EVP_MD_CTX_free(evp); }

    void start() const {
        if (EVP_DigestInit_ex2(evp, algorithm(), nullptr) != 1) throw std::bad_alloc();
    }
};

Digest::Digest() : context_(std::make_unique<Context>()) {}
Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;

Digest& Digest::add(std::string_view bytes) {
    if (EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size()) != 1) throw std::bad_alloc();
    return *this;
}

Digest& Digest::field(std::string_view bytes) { return number(bytes.size()).add(bytes); }

Digest& Digest::number(std::uint64_t value) {
    std::array<char, sizeof(value)> bytes{};
    for (char& byte : bytes) {  // the same on every machine
        byte = static_cast<char>(value & 0xffU);
        value >>= 8U;
    }
    return add({bytes.data(), bytes.size()});
}

std::array<unsigned char, 32> Digest::finish() {
    std::array<unsigned char, 32> bytes{};
    unsigned length = 0;
    if (EVP_DigestFinal_ex(context_->evp, bytes.data(), &length) != 1) throw std::bad_alloc();
    context_->start();
    return bytes;
}

std::string Digest::hex(std::size_t digits) {
    constexpr std::string_view alphabet = "0123456789abcdef";
    std::string text;
    const auto bytes = finish();
    for (std::size_t i = 0; i < digits / 2; ++i) {
        text += alphabet[bytes.at(i) >> 4U];
        text += alphabet[bytes.at(i) & 0xfU];
    }
    return text;
}

}  // namespace left4me
