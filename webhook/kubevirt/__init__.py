"""The only readers of KubeVirt's API: any object of a VM's kind becomes a `VM`."""
