//go:build ignore

// Command build makes what a release consists of, in .release/out:
//
//	rowbatch_VERSION_SYSTEM_PROCESSOR.tar.gz, .zip   program, man pages, completions, samples
//	SHA256SUMS                                       for sha256sum --check
//	rowbatch.cdx.json                                what the program is made of (CycloneDX)
//	rowbatch.rb, rowbatch.json                       Homebrew formula, Scoop manifest
//	image/                                           context of a container image
//
// The same commit, built by the same Go, gives the same bytes on every machine.
//
//	go run .release/build.go -url https://downloads.example.com/rowbatch
package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"rowbatch/batch/cli"
)

const sbomTool = "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0"

// release is what is made, and what its templates know.
type release struct {
	Version, URL string
	Sums         map[string]string // SHA-256 of each file that is handed out
	at           time.Time         // of the commit
	out          string
}

func main() {
	log.SetFlags(0)
	r := release{Version: cli.Version, Sums: map[string]string{}}
	flag.StringVar(&r.URL, "url", "https://downloads.example.com/rowbatch", "where the archives will be found")
	flag.StringVar(&r.out, "out", ".release/out", "folder to make; what is in it goes")
	flag.Parse()
	if err := r.make(); err != nil {
		log.Fatal(err)
	}
}

func (r *release) make() error {
	if changes, err := output("git", "status", "--porcelain"); err != nil || changes != "" {
		return errors.Join(err, fmt.Errorf("a release is made of a commit, and these changes are in none:\n%s", changes))
	}
	seconds, err := output("git", "log", "-1", "--format=%ct")
	if err != nil {
		return err
	}
	unix, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return err
	}
	r.at = time.Unix(unix, 0).UTC()
	if err := errors.Join(os.RemoveAll(r.out), os.MkdirAll(filepath.Join(r.out, "image", "work"), 0o755)); err != nil {
		return err
	}
	beside, err := r.beside()
	if err != nil {
		return err
	}
	for _, system := range []string{"linux", "darwin", "windows"} {
		for _, processor := range []string{"amd64", "arm64"} {
			if err := r.archive(system, processor, beside); err != nil {
				return fmt.Errorf("%s/%s: %w", system, processor, err)
			}
		}
	}
	sbom := filepath.Join(r.out, "rowbatch.cdx.json")
	if _, err := output("go", "run", sbomTool, "bin", "-json", "-std", "-noserial", "-version", "v"+r.Version, "-output", sbom,
		filepath.Join(r.out, "image", "rowbatch-amd64")); err != nil {
		return err
	}
	text, err := os.ReadFile(sbom)
	if err != nil {
		return err
	}
	if text, err = sjson.SetBytes(text, "metadata.timestamp", r.at.Format(time.RFC3339)); err != nil {
		return err
	}
	if err := os.WriteFile(sbom, text, 0o644); err != nil {
		return err
	}
	r.Sums["rowbatch.cdx.json"] = sum(text)
	for from, to := range map[string]string{"SHA256SUMS": "SHA256SUMS", "rowbatch.rb": "rowbatch.rb", "rowbatch.json": "rowbatch.json",
		"Dockerfile": "image/Dockerfile"} {
		t, err := template.ParseFiles(filepath.Join(".release", from+".tmpl"))
		if err != nil {
			return err
		}
		var text bytes.Buffer
		if err := errors.Join(t.Execute(&text, r), os.WriteFile(filepath.Join(r.out, to), text.Bytes(), 0o644)); err != nil {
			return err
		}
	}
	fmt.Println(r.out)
	return nil
}

// beside makes what stands in every archive with the program, by name.
func (r *release) beside() (map[string][]byte, error) {
	host := filepath.Join(r.out, "host")
	man := filepath.Join(host, "man")
	if err := os.MkdirAll(man, 0o755); err != nil {
		return nil, err
	}
	defer os.RemoveAll(host)
	program := filepath.Join(host, "rowbatch")
	if err := build(runtime.GOOS, runtime.GOARCH, program); err != nil {
		return nil, err
	}
	if of, err := output(program, "version", "--json"); err != nil || gjson.Get(of, "commit").String() == "" {
		return nil, errors.Join(err, fmt.Errorf("the program does not know of which commit it is: %s", of))
	}
	if _, err := output(program, "help", "man", man); err != nil {
		return nil, err
	}
	all := map[string][]byte{}
	add := func(from, to string) error {
		return filepath.WalkDir(from, func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "seed.json") {
				return err
			}
			below, err := filepath.Rel(from, name)
			if err == nil {
				all[path.Join(to, filepath.ToSlash(below))], err = os.ReadFile(name)
			}
			return err
		})
	}
	if err := errors.Join(add(man, "man"), add("samples", "samples"), add("README.md", "README.md")); err != nil {
		return nil, err
	}
	for shell, name := range map[string]string{"bash": "rowbatch.bash", "zsh": "_rowbatch", "fish": "rowbatch.fish", "powershell": "rowbatch.ps1"} {
		text, err := output(program, "completion", shell)
		if err != nil {
			return nil, err
		}
		all["completions/"+name] = []byte(text + "\n")
	}
	return all, nil
}

// Archive is the name of an archive, without its ending, and of the folder in it.
func (r *release) Archive(system, processor string) string {
	return "rowbatch_" + r.Version + "_" + system + "_" + processor
}

// archive builds the program for a system, and packs it.
func (r *release) archive(system, processor string, beside map[string][]byte) error {
	program, folder := "rowbatch", r.Archive(system, processor)
	if system == "windows" {
		program += ".exe"
	}
	built := filepath.Join(r.out, "image", "rowbatch-"+processor)
	if system != "linux" {
		built = filepath.Join(r.out, folder)
		defer os.Remove(built)
	}
	if err := build(system, processor, built); err != nil {
		return err
	}
	text, err := os.ReadFile(built)
	if err != nil {
		return err
	}
	files := maps.Clone(beside)
	files[program] = text
	var packed bytes.Buffer
	name, pack := folder+".tar.gz", r.tarball
	if system == "windows" {
		name, pack = folder+".zip", r.zip
	}
	if err := pack(&packed, folder, files); err != nil {
		return err
	}
	r.Sums[name] = sum(packed.Bytes())
	return os.WriteFile(filepath.Join(r.out, name), packed.Bytes(), 0o644)
}

func (r *release) tarball(w io.Writer, folder string, files map[string][]byte) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		head := &tar.Header{Name: folder + "/" + name, Mode: int64(mode(name)), Size: int64(len(files[name])), ModTime: r.at}
		err := t.WriteHeader(head)
		if err == nil {
			_, err = t.Write(files[name])
		}
		if err != nil {
			return err
		}
	}
	return errors.Join(t.Close(), z.Close())
}

func (r *release) zip(w io.Writer, folder string, files map[string][]byte) error {
	z := zip.NewWriter(w)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		head := &zip.FileHeader{Name: folder + "/" + name, Method: zip.Deflate, Modified: r.at}
		head.SetMode(mode(name))
		f, err := z.CreateHeader(head)
		if err == nil {
			_, err = f.Write(files[name])
		}
		if err != nil {
			return err
		}
	}
	return z.Close()
}

// mode is that of a file in an archive: what is to be run can be.
func mode(name string) fs.FileMode {
	switch path.Base(name) {
	case "rowbatch", "rowbatch.exe", "tell":
		return 0o755
	}
	return 0o644
}

// build makes the program for a system.
func build(system, processor, to string) error {
	c := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", to, ".")
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=true", "GOOS="+system, "GOARCH="+processor)
	c.Stderr = os.Stderr
	return c.Run()
}

// output is what a program prints.
func output(program string, args ...string) (string, error) {
	c := exec.Command(program, args...)
	c.Stderr = os.Stderr
	text, err := c.Output()
	if err != nil {
		err = fmt.Errorf("%s %s: %w", program, strings.Join(args, " "), err)
	}
	return strings.TrimSuffix(string(text), "\n"), err
}

func sum(text []byte) string {
	all := sha256.Sum256(text)
	return hex.EncodeToString(all[:])
}
