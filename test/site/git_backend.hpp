#pragma once

#include <string>

#include "site/https_server.hpp"

namespace left4me {

/// What git's own server answers to a request, git-http-backend(1): all of it, as it is sent. `root`: the
/// directory with the repositories. `version`: the protocol that is spoken, whatever the client asks for;
/// empty: what it asks for.
std::string git_answer(const HttpRequest& request, const std::string& root, const std::string& version = {});

/// The body of such an answer.
std::string body_of(const std::string& answer);

}  // namespace left4me
