// Runs one case of test/cases, so that each is a separate CTest test. With --accept before the name it writes
// the current output of load() to NAME.expected: read the difference before you commit it.

#include <algorithm>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>

#include "cases.hpp"

namespace {

using namespace left4me;

int accept(const test::Case& set, const std::string& messages) {
    std::ofstream(set.expected, std::ios::binary) << messages;
    return 0;
}

int compare(const test::Case& set, const std::string& messages, bool valid) {
    if (valid) {
        std::cerr << messages;
        return messages.empty() ? 0 : 1;
    }
    const std::string expected = test::read_text(set.expected).value_or("");
    if (!messages.empty() && messages == expected) return 0;
    std::cerr << "expected:\n"
              << expected << "but load() says:\n"
              << (messages.empty() ? "nothing\n" : messages);
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::string_view> arguments(argv + 1, argv + argc);
    const bool accepting = !arguments.empty() && arguments.front() == "--accept";
    if (accepting) arguments.erase(arguments.begin());
    if (arguments.size() != 2 || (arguments[0] != "valid" && arguments[0] != "invalid")) {
        std::cerr << "usage: specs_case [--accept] valid|invalid NAME|all\n";
        return 2;
    }
    const bool valid = arguments[0] == "valid";
    bool found = false;
    int failed = 0;
    for (const test::Case& set :
         test::list_cases(std::string(LEFT4ME_TEST_CASES "/") + std::string(arguments[0]))) {
        if (arguments[1] != "all" && set.name != arguments[1]) continue;
        found = true;
        const auto loaded = load(test::read_case(set));
        const std::string messages = loaded ? "" : to_string(loaded.error());
        failed |= accepting && !valid ? accept(set, messages) : compare(set, messages, valid);
    }
    return found ? failed : 2;
}
