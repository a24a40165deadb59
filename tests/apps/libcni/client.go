// A runtime on Go's libcni, as containerd, CRI-O and podman are ones. tests/apps/libcni_test.cc drives it.
//
// usage: client (add|check|del|cached|gc) FILE.conflist CONTAINER NETNS IFNAME [CAPABILITY-ARGS]
// with $CNI_PATH; the cache is libcni's own folder. `add` and `cached` print a result, `cached` null if there is none.
// `gc` keeps the attachment of CONTAINER and IFNAME alone.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/invoke"
	"github.com/containernetworking/cni/pkg/types"
)

// GC of the first plugin as libcni 1.2 sends it; Debian's 1.1.2 has no such verb yet.
func gc(list *libcni.NetworkConfigList, conf *libcni.RuntimeConf) error {
	valid := []map[string]string{{"containerID": conf.ContainerID, "ifname": conf.IfName}}
	plugin, err := libcni.InjectConf(list.Plugins[0], map[string]interface{}{
		"name": list.Name, "cniVersion": "1.1.0", "cni.dev/valid-attachments": valid, "cni.dev/attachments": valid,
	})
	if err != nil {
		return err
	}
	path, err := invoke.FindInPath(plugin.Network.Type, filepath.SplitList(os.Getenv("CNI_PATH")))
	if err != nil {
		return err
	}
	args := &invoke.Args{Command: "GC", Path: os.Getenv("CNI_PATH")}
	return invoke.ExecPluginWithoutResult(context.Background(), path, plugin.Bytes, args, nil)
}

func run(verb, file, container, netns, ifname, capabilities string) (types.Result, error) {
	list, err := libcni.ConfListFromFile(file)
	if err != nil {
		return nil, err
	}
	conf := &libcni.RuntimeConf{ContainerID: container, NetNS: netns, IfName: ifname}
	if capabilities != "" {
		if err := json.Unmarshal([]byte(capabilities), &conf.CapabilityArgs); err != nil {
			return nil, err
		}
	}
	cni := libcni.NewCNIConfig(filepath.SplitList(os.Getenv("CNI_PATH")), nil)
	switch verb {
	case "add":
		return cni.AddNetworkList(context.Background(), list, conf)
	case "check":
		return nil, cni.CheckNetworkList(context.Background(), list, conf)
	case "del":
		return nil, cni.DelNetworkList(context.Background(), list, conf)
	case "gc":
		return nil, gc(list, conf)
	case "cached":
		return cni.GetNetworkListCachedResult(list, conf)
	}
	return nil, fmt.Errorf("no verb %q", verb)
}

func main() {
	capabilities := ""
	if len(os.Args) > 6 {
		capabilities = os.Args[6]
	}
	result, err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5], capabilities)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if os.Args[1] == "add" || os.Args[1] == "cached" {
		text, _ := json.Marshal(result)
		fmt.Println(string(text))
	}
}
