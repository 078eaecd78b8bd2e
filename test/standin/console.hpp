#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "people.hpp"

namespace standin {

/// The game's console: variables, configuration files, and the few commands that a server's operator uses.
class Console {
  public:
    explicit Console(std::filesystem::path game_directory) : game_(std::move(game_directory)) {}

    /// One console line: commands separated by ';', words by spaces, "quoted words", // comments. Returns
    /// what the game would print.
    std::string execute(std::string_view line);
    /// cfg/NAME beneath the game's directory; a missing file is not an error: the game prints a message and
    /// continues.
    std::string execute_file(const std::string& name);

    void set(const std::string& name, std::string value) { variables_[name] = std::move(value); }
    std::string text(const std::string& name, const std::string& otherwise = "") const;
    int number(const std::string& name, int otherwise = 0) const;

    const std::map<std::string, std::string>& variables() const { return variables_; }

    bool quit_asked() const { return quit_; }

    /// Lets people come and go as the variables say. True: something changed.
    bool advance(Clock::time_point now);
    const People& people() const { return people_; }
    /// Those in the match and those who are connecting.
    int humans() const { return static_cast<int>(people_.here().size()); }
    std::string status() const;
    std::string stats() const;

    void count_query() { ++queries_; }
    bool was_limited() { return std::exchange(was_limited_, true); }
    unsigned long queries() const { return queries_; }

  private:
    std::string command(const std::vector<std::string>& words);
    std::string list(const std::string& beginning) const;
    std::string help(const std::string& name) const;
    bool is_listed(const char* variable, const std::string& word) const;

    std::filesystem::path game_;
    std::map<std::string, std::string> variables_;
    People people_;
    Clock::time_point started_ = Clock::now();
    unsigned long queries_ = 0;
    bool was_limited_ = false;
    int depth_ = 0;
    bool quit_ = false;
};

}  // namespace standin
