#include "l4d2ctl/question.hpp"

#include <iostream>

#include "l4d2ctl/session.hpp"

namespace left4me::ctl {

bool agrees(const std::string& question) {
    print_error(question + " [y/N]");
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace left4me::ctl
