#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "l4d2ctl/exit.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace left4me::ctl {

/// What a word of the command line may be, for completion.
enum class Words {
    Nothing,    ///< cannot be completed
    Choices,    ///< one of a few
    Servers,    ///< names of servers
    Artifacts,  ///< overlay/NAME or installation/NAME
    ServersOrArtifacts,
    Installations,  ///< their names
    Objects,        ///< KIND NAME… or KIND/NAME
    Fields,         ///< paths of fields of manifests
    Files,
    Groups,
};

/// An option, as needed for completion.
struct OptionShape {
    std::string names;  ///< "-o,--output"
    std::string help;
    bool takes_value = false;
    Words words = Words::Nothing;
    std::vector<std::string> choices;
};

/// A verb, as needed for completion: the command tree that `l4d2ctl __complete` walks.
struct VerbShape {
    std::string name;
    std::string description;
    bool hidden = false;
    std::vector<OptionShape> options = {};
    Words words = Words::Nothing;  ///< what its arguments are
    std::size_t max_arguments = 0;
    std::vector<std::string> choices = {};  ///< of its argument, if they are Choices
};

/// One verb of the command line under construction. CLI11 is used in one file only, because its templates
/// cost seconds per file. Everything referred to must outlive the parsing.
class Command {
  public:
    Command(CLI::App& app, std::string& chosen, std::function<Result<Exit>()>& run, VerbShape& shape,
            const std::string& example, std::function<Result<Exit>()> what);

    /// A required word without dashes.
    void argument(const std::string& name, std::string& into, const std::string& help,
                  Words words = Words::Nothing);
    /// A word from a short list.
    void choice(const std::string& name, std::string& into, const std::vector<std::string>& choices,
                const std::string& help);
    void optional_argument(const std::string& name, std::string& into, const std::string& help,
                           Words words = Words::Nothing);
    /// Any number of such words, perhaps none.
    void arguments(const std::string& name, std::vector<std::string>& into, const std::string& help,
                   Words words);
    /// `--output TEXT`, optionally from a short list.
    void option(const std::string& names, std::string& into, const std::string& help,
                const std::vector<std::string>& choices = {});
    /// `--group TEXT`, completed from what the host knows.
    void option(const std::string& names, std::string& into, const std::string& help, Words words);
    void required_option(const std::string& names, std::string& into, const std::string& help);
    void option(const std::string& names, unsigned& into, const std::string& help);
    /// `-f A -f B`.
    void repeated(const std::string& names, std::vector<std::string>& into, const std::string& help,
                  bool required);
    void flag(const std::string& names, bool& into, const std::string& help);
    /// `--wait` or `--wait=TEXT`; `given` returns what is wrong with the text, or nothing.
    void optional_value(const std::string& name, const std::string& value,
                        std::function<std::string(const std::string&)> given, const std::string& help);

    /// Hides the verb from the help: it is for programs, not for people.
    void hide();

  private:
    void note(const std::string& names, const std::string& help, bool takes_value,
              Words words = Words::Nothing, std::vector<std::string> choices = {});
    void expect(Words words, std::size_t most);

    CLI::App* verb_;
    VerbShape* shape_;
};

}  // namespace left4me::ctl
