#include "l4d2ctl/program.hpp"

#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "support/scratch.hpp"

namespace left4me::test {

std::string quote(const std::string& text) {
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

std::string read_text(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

Said l4d2ctl(const std::string& words, const std::string& input) {
    const Scratch scratch;
    const std::string in = scratch.write("in", input).string();
    const std::string out = (scratch.path() / "out").string();
    const std::string err = (scratch.path() / "err").string();
    const std::string command = quote(L4D2CTL_PROGRAM) + " " + words + " <" + in + " >" + out + " 2>" + err;
    const int status = std::system(command.c_str());  // NOLINT(cert-env33-c): the shell of a test
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_text(out), read_text(err)};
}

}  // namespace left4me::test
