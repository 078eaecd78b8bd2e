#include "specs/text.hpp"

#include "support/catch.hpp"

using namespace left4me;

TEST_CASE("text from outside reaches a terminal without control or invisible characters") {
    CHECK(printable("plain\n\ttext, größer: 猫 ☃ 👍") == "plain\n\ttext, größer: 猫 ☃ 👍");
    CHECK(printable("a\033[2Jb\x7f\rc") == "a?[2Jb??c");
    CHECK(printable("\xc2\x9b"
                    "31m") == "?31m");  // CSI as one C1 character
    CHECK(printable("\x9b"
                    "31m") == "?31m");                    // and as one byte
    CHECK(printable("\u202egnp.exe") == "?gnp.exe");      // right-to-left override
    CHECK(printable("al\u200bpha\ufeff") == "al?pha?");   // zero-width space, byte order mark
    CHECK(printable("\u2066x\u2069\u00ad") == "?x??");    // isolates, soft hyphen
    CHECK(printable("\xf3\xa0\x81\x81") == "?");          // a tag character
    CHECK(printable("\xff\xfe\xc3") == "???");            // not UTF-8
    CHECK(printable("\xed\xa0\x80\xc0\xaf") == "?????");  // a surrogate, an overlong slash
    CHECK(printable_line("a\nb\tc\033") == "a b c?");
    CHECK(in_quotes("x\u202ey\x9b") == "'x\\xe2\\x80\\xaey\\x9b'");
}
