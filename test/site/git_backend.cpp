#include "site/git_backend.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <vector>

namespace left4me {

namespace {

std::string header_of(const HttpRequest& request, const std::string& name) {
    const auto found = request.headers.find(name);
    return found == request.headers.end() ? "" : found->second;
}

std::vector<std::string> environment_of(const HttpRequest& request, const std::string& root,
                                        const std::string& version) {
    const std::size_t question = std::min(request.path.find('?'), request.path.size());
    const std::string query = question == request.path.size() ? "" : request.path.substr(question + 1);
    return {"PATH=/usr/bin:/bin", "HOME=/nowhere", "GIT_CONFIG_NOSYSTEM=1",
            // The repositories may belong to somebody else.
            "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
            "GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "REQUEST_METHOD=" + request.method,
            "PATH_INFO=" + request.path.substr(0, question), "QUERY_STRING=" + query,
            "CONTENT_TYPE=" + header_of(request, "content-type"),
            "CONTENT_LENGTH=" + std::to_string(request.body.size()), "REMOTE_ADDR=127.0.0.1",
            "GIT_PROTOCOL=" + (version.empty() ? header_of(request, "git-protocol") : version)};
}

}  // namespace

std::string git_answer(const HttpRequest& request, const std::string& root, const std::string& version) {
    std::array<int, 2> output{};
    std::FILE* const input = std::tmpfile();
    if (input == nullptr || ::pipe2(output.data(), O_CLOEXEC) != 0) throw std::runtime_error("git backend");
    (void)std::fwrite(request.body.data(), 1, request.body.size(), input);
    (void)std::fflush(input);
    (void)std::fseek(input, 0, SEEK_SET);
    std::vector<std::string> environment = environment_of(request, root, version);
    std::vector<char*> pointers;
    for (std::string& variable : environment) pointers.push_back(variable.data());
    pointers.push_back(nullptr);
    const pid_t pid = ::fork();
    if (pid == 0) {
        (void)::dup2(::fileno(input), STDIN_FILENO);
        (void)::dup2(output[1], STDOUT_FILENO);
        const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void)::dup2(null, STDERR_FILENO);
        ::execle("/usr/bin/git", "git", "http-backend", nullptr, pointers.data());
        ::_exit(127);
    }
    (void)::close(output[1]);
    std::string said;
    std::array<char, 1U << 16U> buffer{};
    while (true) {
        const ssize_t got = ::read(output[0], buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        said.append(buffer.data(), static_cast<std::size_t>(got));
    }
    (void)::close(output[0]);
    (void)std::fclose(input);
    int status = 0;
    (void)::waitpid(pid, &status, 0);
    // As a CGI program says it: headers, of which one may be the status.
    const std::size_t end = said.find("\r\n\r\n");
    if (end == std::string::npos) return "HTTP/1.1 500 Said\r\nConnection: close\r\n\r\n";
    std::string headers = said.substr(0, end + 2);
    std::string code = "200";
    constexpr std::string_view word = "Status: ";
    if (const std::size_t at = headers.find(word); at != std::string::npos)
        code = headers.substr(at + word.size(), 3);
    const std::string body = said.substr(end + 4);
    return "HTTP/1.1 " + code +
           " Said\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers +
           "\r\n" + body;
}

std::string body_of(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

}  // namespace left4me
