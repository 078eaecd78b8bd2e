#pragma once

#include <string>

namespace left4me::test {

/// The result of one run of the real l4d2ctl.
struct Said {
    int code = -1;
    std::string out;
    std::string err;
};

/// Runs `l4d2ctl WORDS` through the shell, `input` being its standard input.
Said l4d2ctl(const std::string& words, const std::string& input = {});

/// `text` as one word of the shell.
std::string quote(const std::string& text);

std::string read_text(const std::string& path);

/// A valid Blueprint and a valid Server.
inline constexpr const char* coop =
    "apiVersion: left4me/v1\n"
    "kind: Blueprint\n"
    "metadata: {name: coop}\n"
    "spec: {}\n"
    "---\n"
    "apiVersion: left4me/v1\n"
    "kind: Server\n"
    "metadata: {name: coop}\n"
    "spec: {blueprint: coop, port: 27015}\n";

}  // namespace left4me::test
