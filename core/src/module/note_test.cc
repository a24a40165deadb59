// Reading the note from files that are damaged in every way: an Error, never a crash or a wild
// read.
#include "module/note.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <random>

#include "unicni/error.h"
#include "unicni/sys/fd.h"

namespace unicni::module::note_test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

/// A small ELF image by hand: header, three segments, the note, the dynamic section, its strings.
/// Machine and class are those of the running program.
struct Image {
  ElfW(Ehdr) header{};
  ElfW(Phdr) segments[3]{};
  ElfW(Nhdr) note_header{sizeof "unicni", sizeof(ModuleNote), kModuleNoteType};
  char note_name[8] = "unicni";
  ModuleNote note{UNICNI_ABI, 1, "demo", "9.9", UNICNI_TOOLCHAIN, UNICNI_VERSION};
  ElfW(Dyn) dynamic[4]{};
  char strings[32] = "\0libc.so.6";
};

std::string bytes_of(const Image& image) {
  return {reinterpret_cast<const char*>(&image), sizeof image};
}

std::string own_header() {
  std::ifstream self("/proc/self/exe", std::ios::binary);
  std::string header(sizeof(ElfW(Ehdr)), '\0');
  self.read(header.data(), static_cast<std::streamsize>(header.size()));
  return header;
}

Image good_image() {
  Image image;
  const auto own = own_header();
  std::memcpy(&image.header, own.data(), own.size());
  image.header.e_type = ET_DYN;
  image.header.e_phoff = offsetof(Image, segments);
  image.header.e_phnum = 3;
  image.header.e_phentsize = sizeof(ElfW(Phdr));
  auto& load = image.segments[0];
  load.p_type = PT_LOAD;
  load.p_vaddr = 0x1000;
  load.p_filesz = sizeof(Image);
  auto& note = image.segments[1];
  note.p_type = PT_NOTE;
  note.p_align = 4;
  note.p_offset = offsetof(Image, note_header);
  note.p_filesz = offsetof(Image, note) + sizeof(ModuleNote) - note.p_offset;
  auto& dynamic = image.segments[2];
  dynamic.p_type = PT_DYNAMIC;
  dynamic.p_offset = offsetof(Image, dynamic);
  dynamic.p_filesz = sizeof image.dynamic;
  image.dynamic[0].d_tag = DT_STRTAB;
  image.dynamic[0].d_un.d_ptr = 0x1000 + offsetof(Image, strings);
  image.dynamic[1].d_tag = DT_STRSZ;
  image.dynamic[1].d_un.d_val = sizeof image.strings;
  image.dynamic[2].d_tag = DT_NEEDED;
  image.dynamic[2].d_un.d_val = 1;
  image.dynamic[3].d_tag = DT_NULL;
  return image;
}

class NoteTest : public testing::Test {
 protected:
  // In memory: thousands of files are slow elsewhere.
  NoteTest() : fd_(::memfd_create("note_test", MFD_CLOEXEC)) {}

  void write(const std::string& bytes) {
    ASSERT_EQ(::ftruncate(fd_.get(), 0), 0);
    ASSERT_EQ(::pwrite(fd_.get(), bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
  }
  std::string refusal(const std::string& bytes) {
    write(bytes);
    try {
      (void)read_note(path_);
    } catch (const Error& error) {
      EXPECT_THAT(error.msg(), HasSubstr("module " + path_ + " is unusable: "));
      return error.msg();
    }
    return "";
  }
  std::string refusal(const Image& image) { return refusal(bytes_of(image)); }

  sys::Fd fd_;
  std::string path_ = "/proc/self/fd/" + std::to_string(fd_.get());
};

TEST_F(NoteTest, IsReadFromTheFile) {
  write(bytes_of(good_image()));
  const auto note = read_note(path_);
  EXPECT_EQ(note.abi, unsigned{UNICNI_ABI});
  EXPECT_EQ(note.kind, 1U);
  EXPECT_STREQ(note.name, "demo");
  EXPECT_STREQ(note.version, "9.9");
  EXPECT_STREQ(note.toolchain, UNICNI_TOOLCHAIN);
  EXPECT_NO_THROW(require_compatible(note, "demo", path_));
}

TEST_F(NoteTest, OtherNotesBeforeItArePassedOver) {
  auto image = good_image();
  // A foreign note of 16 bytes in a segment of its own, where the strings are.
  const ElfW(Nhdr) foreign{4, 0, 1};
  std::memcpy(image.strings + 12, &foreign, sizeof foreign);
  image.segments[0].p_type = PT_NOTE;
  image.segments[0].p_offset = offsetof(Image, strings) + 12;
  image.segments[0].p_filesz = 16;
  image.dynamic[2].d_tag = DT_NULL;
  EXPECT_EQ(refusal(image), "");
}

TEST_F(NoteTest, EveryTruncationIsRefused) {
  const auto whole = bytes_of(good_image());
  // What nobody reads may be missing: the strings' unused end, and all behind the note where
  // libstdc++ is shared.
  constexpr bool kReadsDynamic = std::string_view(UNICNI_LIBSTDCXX) == "host";
  constexpr std::size_t kNeeded =
      kReadsDynamic ? offsetof(Image, strings) + 11 : offsetof(Image, note) + sizeof(ModuleNote);
  for (std::size_t size = 0; size < kNeeded; ++size) {
    EXPECT_THAT(refusal(whole.substr(0, size)),
                AnyOf(HasSubstr("not an ELF file"), HasSubstr("damaged ELF file")))
        << size;
  }
}

TEST_F(NoteTest, GarbageNeverCrashesIt) {
  const auto whole = bytes_of(good_image());
  std::mt19937 random(4711);
  for (int round = 0; round < 4000; ++round) {
    auto bytes = whole;
    for (auto flips = 1 + random() % 6; flips > 0; --flips) {
      const auto at = random() % bytes.size();
      bytes[at] = static_cast<char>(random() % 4 == 0 ? 0xff : random());
    }
    (void)refusal(bytes);
  }
}

TEST_F(NoteTest, HugeOffsetsAreRefused) {
  auto image = good_image();
  image.header.e_phoff = ~0UL - 8;
  EXPECT_THAT(refusal(image), HasSubstr("beyond its end"));
  image = good_image();
  image.segments[1].p_offset = ~0UL - 8;
  EXPECT_THAT(refusal(image), HasSubstr("beyond its end"));
  image = good_image();
  image.segments[1].p_filesz = 1UL << 40U;
  EXPECT_THAT(refusal(image), HasSubstr("notes are too large"));
  image = good_image();
  image.note_header.n_descsz = 0xffffffff;
  EXPECT_THAT(refusal(image), HasSubstr("note leads beyond"));
  image = good_image();
  image.note_header.n_namesz = 0xffffffff;
  EXPECT_THAT(refusal(image), HasSubstr("note leads beyond"));
}

TEST_F(NoteTest, AnotherMachineIsNamed) {
  auto image = good_image();
  image.header.e_machine = EM_S390;
  EXPECT_THAT(refusal(image), HasSubstr("another machine"));
  image = good_image();
  image.header.e_ident[EI_DATA] ^= 3;
  EXPECT_THAT(refusal(image), HasSubstr("another machine"));
}

TEST_F(NoteTest, AnObjectFileIsNoModule) {
  auto image = good_image();
  image.header.e_type = ET_REL;
  EXPECT_THAT(refusal(image), HasSubstr("not a shared object"));
}

TEST_F(NoteTest, AForeignNoteIsNoNote) {
  auto image = good_image();
  std::memcpy(image.note_name, "foreign", 8);
  EXPECT_THAT(refusal(image), HasSubstr("no unicni note"));
  image = good_image();
  image.note_header.n_type = 2;
  EXPECT_THAT(refusal(image), HasSubstr("no unicni note"));
}

TEST_F(NoteTest, TextsMustEnd) {
  auto image = good_image();
  std::memset(image.note.name, 'x', sizeof image.note.name);
  EXPECT_THAT(refusal(image), HasSubstr("text without end"));
}

TEST_F(NoteTest, AnOwnLibstdcxxIsRefused) {
  auto image = good_image();
  std::memcpy(image.strings, "\0libstdc++.so.6", 16);
  if constexpr (std::string_view(UNICNI_LIBSTDCXX) == "host") {
    EXPECT_THAT(refusal(image), HasSubstr("brings its own C++ library, libstdc++.so.6"));
  } else {
    EXPECT_EQ(refusal(image), "");
  }
}

TEST_F(NoteTest, CompatibilityTextsNameBothSides) {
  const auto text = [&](const ModuleNote& note, const std::string& name) {
    try {
      require_compatible(note, name, "/m.so");
    } catch (const Error& error) {
      return error.msg();
    }
    return std::string();
  };
  ModuleNote note = good_image().note;
  EXPECT_THAT(text(note, "other"), HasSubstr("its name is \"demo\" inside, \"other\" is expected"));
  note.abi = 99;
  EXPECT_EQ(
      text(note, "demo"),
      "module /m.so has another ABI: it is built for module interface 99, this unicni takes 2");
  note.abi = UNICNI_ABI;
  std::strcpy(note.toolchain, "gcc");
  EXPECT_EQ(text(note, "demo"),
            "module /m.so has another ABI: its toolchain is \"gcc\", this unicni takes "
            "\"" UNICNI_TOOLCHAIN "\"");
}

TEST_F(NoteTest, AModuleMayHaveNoFmt) {
  const auto text = [](const std::string& toolchain) {
    ModuleNote note = good_image().note;
    std::memset(note.toolchain, 0, sizeof note.toolchain);
    toolchain.copy(note.toolchain, sizeof note.toolchain - 1);
    try {
      require_compatible(note, "demo", "/m.so");
    } catch (const Error& error) {
      return error.msg();
    }
    return std::string();
  };
  const std::string ours = UNICNI_TOOLCHAIN;
  const std::string without = ours.substr(0, ours.find(":fmt="));
  EXPECT_THAT(ours, HasSubstr(":fmt=v"));
  EXPECT_EQ(text(ours), "");
  EXPECT_EQ(text(without), "");
  EXPECT_THAT(text(without + ":fmt=v5"), HasSubstr("its toolchain is \"" + without + ":fmt=v5\""));
  EXPECT_THAT(text(without + "+debug"), HasSubstr("its toolchain is"));
  EXPECT_THAT(text(ours + "x"), HasSubstr("its toolchain is"));
}

// That of interface 1 ends with the toolchain.
TEST_F(NoteTest, AnOlderNoteIsReadAsFarAsItGoes) {
  auto image = good_image();
  image.note.abi = 1;
  image.note_header.n_descsz = offsetof(ModuleNote, built_for);
  write(bytes_of(image));
  const auto note = read_note(path_);
  EXPECT_EQ(note.abi, 1U);
  EXPECT_STREQ(note.version, "9.9");
  EXPECT_STREQ(note.built_for, "");
  --image.note_header.n_descsz;
  EXPECT_THAT(refusal(image), HasSubstr("its unicni note is too short"));
}

// That of a later interface may be longer.
TEST_F(NoteTest, ALongerNoteIsReadAsFarAsItIsKnown) {
  auto image = good_image();
  image.note_header.n_descsz += 16;
  image.segments[1].p_filesz += 16;
  write(bytes_of(image));
  EXPECT_STREQ(read_note(path_).built_for, UNICNI_VERSION);
}

TEST_F(NoteTest, AnAbsentFile) { EXPECT_THROW((void)read_note("/nonexistent/demo.so"), Error); }

}  // namespace
}  // namespace unicni::module::note_test
