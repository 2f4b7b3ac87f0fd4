# files of modules
